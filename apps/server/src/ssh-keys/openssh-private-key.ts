const MAGIC = 'openssh-key-v1\0';
const NO_CIPHER_BLOCK = 8;
const LINE = 70;

export interface Ed25519Key {
  /** 32 bytes each. */
  readonly seed: Buffer;
  readonly point: Buffer;
  readonly comment: string;
  /** Any four bytes: who decrypts compares them with their repetition. */
  readonly check: Buffer;
}

/** The blob of a public key, as in RFC 8709; in base64 it is what a line of `authorized_keys` has. */
export function publicBlob(point: Buffer): Buffer {
  return Buffer.concat([field('ssh-ed25519'), field(point)]);
}

/** Without a passphrase; after OpenSSH's PROTOCOL.key. */
export function opensshPrivateKey({ seed, point, comment, check }: Ed25519Key): string {
  const secret = [
    check,
    check,
    field('ssh-ed25519'),
    field(point),
    field(Buffer.concat([seed, point])),
    field(comment),
  ];
  const content = Buffer.concat([
    Buffer.from(MAGIC),
    field('none'),
    field('none'),
    field(''),
    uint32(1),
    field(publicBlob(point)),
    field(padded(Buffer.concat(secret))),
  ]);
  const lines = content.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

/** With 1, 2, 3 … to a whole block. */
function padded(content: Buffer): Buffer {
  const missing = (NO_CIPHER_BLOCK - (content.length % NO_CIPHER_BLOCK)) % NO_CIPHER_BLOCK;
  return Buffer.concat([content, Buffer.from(Array.from({ length: missing }, (_byte, index) => index + 1))]);
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
