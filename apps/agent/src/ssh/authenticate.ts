import type { AuthContext, Connection } from 'ssh2';
import { judgeKey, parseAuthorizedKeys } from './authorized-keys.js';

/** Above OpenSSH's 6: people with a full key agent try each of its keys. */
const MAX_TRIES = 20;
const LOGIN_GRACE_MS = 60_000;

/** Lets in whoever holds an authorized key, by any name. Resolves never for those who give up. */
export function authenticate(
  client: Connection,
  authorizedKeys: () => readonly string[],
  onAccepted: (fingerprint: string) => void,
): void {
  let tries = 0;
  const grace = setTimeout(() => {
    client.end();
  }, LOGIN_GRACE_MS);
  client.once('close', () => {
    clearTimeout(grace);
  });
  client.on('authentication', (context: AuthContext) => {
    if (context.method !== 'publickey') {
      context.reject(['publickey']);
      return;
    }
    const { key, signature, blob, hashAlgo } = context;
    const verdict = judgeKey(
      {
        algorithm: key.algo,
        blob: key.data,
        hashAlgorithm: hashAlgo,
        proof: signature === undefined || blob === undefined ? undefined : { signed: blob, signature },
      },
      parseAuthorizedKeys(authorizedKeys()),
    );
    if (verdict.outcome === 'accepted') {
      clearTimeout(grace);
      onAccepted(verdict.fingerprint);
    }
    if (verdict.outcome !== 'refused') {
      context.accept();
      return;
    }
    tries++;
    if (tries >= MAX_TRIES) client.end();
    else context.reject(['publickey']);
  });
}
