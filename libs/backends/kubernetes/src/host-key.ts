import { generateKeyPairSync } from 'node:crypto';

export interface HostKey {
  /** PEM. */
  readonly secret: string;
  /** Type and public key, as in a line of OpenSSH. */
  readonly shown: string;
}

const TYPE = 'ecdsa-sha2-nistp256';
const CURVE = 'nistp256';

/** Of an SSH server that starts with it: whoever connects knows beforehand whom to find. */
export function makeHostKey(): HostKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new Error('a key on a curve is a point');
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const blob = Buffer.concat([TYPE, CURVE, point].map(lengthPrefixed));
  return {
    secret: privateKey.export({ format: 'pem', type: 'sec1' }).toString(),
    shown: `${TYPE} ${blob.toString('base64')}`,
  };
}

function lengthPrefixed(part: string | Buffer): Buffer {
  const bytes = Buffer.from(part as string); // either kind is copied
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
