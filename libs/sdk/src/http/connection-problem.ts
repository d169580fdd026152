export interface ConnectionProblem {
  readonly message: string;
  readonly hint: string;
  /** The request cannot have reached the server. */
  readonly neverSent: boolean;
  /** Asking again changes nothing. */
  readonly lasting: boolean;
}

interface Known {
  readonly reason: string;
  readonly hint: string;
  readonly neverSent?: true;
  readonly lasting?: true;
}

const TRUST = 'Trust the authority that signed it: NODE_EXTRA_CA_CERTS=/path/to/ca.pem';
const ITS_NAME = 'Use the name that the certificate is for.';

const KNOWN: Readonly<Record<string, Known>> = {
  ENOTFOUND: { reason: 'there is no host of this name', hint: 'Check the address.', neverSent: true },
  EAI_AGAIN: {
    reason: 'its name cannot be looked up now',
    hint: 'Check your network, then try again.',
    neverSent: true,
  },
  EHOSTUNREACH: { reason: 'there is no way to the host', hint: 'Check your network or VPN.', neverSent: true },
  ENETUNREACH: { reason: 'there is no way to its network', hint: 'Check your network or VPN.', neverSent: true },
  ETIMEDOUT: { reason: 'the host does not answer', hint: 'Check the address, your network, and firewalls between.' },
  EPROTO: { reason: 'it does not speak TLS', hint: 'Is it an http:// address?', lasting: true },
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: 'its certificate is self-signed', hint: TRUST, lasting: true },
  SELF_SIGNED_CERT_IN_CHAIN: { reason: 'nobody known signed its certificate', hint: TRUST, lasting: true },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { reason: 'nobody known signed its certificate', hint: TRUST, lasting: true },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { reason: 'nobody known signed its certificate', hint: TRUST, lasting: true },
  CERT_HAS_EXPIRED: { reason: 'its certificate has expired', hint: 'Tell its administrator.', lasting: true },
  ERR_TLS_CERT_ALTNAME_INVALID: { reason: 'its certificate is for another name', hint: ITS_NAME, lasting: true },
};

const OF_THIS_MACHINE = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/;

/** Why there is no answer from a server, and what to do, by the code of Node's error. Pure. */
export function connectionProblem(url: string, error: unknown): ConnectionProblem {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const known = code === undefined ? undefined : KNOWN[code];
  const reason = [known?.reason, code ?? (error instanceof Error ? error.message : String(error))];
  return {
    message: `Cannot reach the dstack server at ${url} (${reason.filter((each) => each !== undefined).join('; ')}).`,
    hint: known?.hint ?? notRunning(url),
    neverSent: known?.neverSent ?? code === 'ECONNREFUSED',
    lasting: known?.lasting ?? false,
  };
}

function notRunning(url: string): string {
  return OF_THIS_MACHINE.test(url)
    ? 'Is it running? Start it with: dstack server'
    : 'Is it running, and is the address right? Which one is used: dstack project list';
}
