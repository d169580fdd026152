import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Random } from '../world/world.js';

/** `aes` encrypts; `identity` stores the text itself. A secret as bytes would cost more to take in than a value costs to open. */
export type Key =
  { readonly type: 'aes'; readonly name: string; readonly secret: KeyObject } | { readonly type: 'identity' };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A stored value that none of the configured keys opens. Names the key it was written with, never the value. */
export class UndecryptableError extends Error {
  override readonly name = 'UndecryptableError';
  constructor(readonly keyName: string) {
    super(
      `A stored value was encrypted with the key "${keyName}", which is not configured. Add it to encryption.keys in config.yml.`,
    );
  }
}

/**
 * Values at rest are `enc:<type>:<key name>:<payload>`; the payload of `aes` is base64 of nonce and AES-256-GCM ciphertext.
 * The first key encrypts; every key of a type is tried to decrypt, so a rotated key stays in the list.
 */
export class Keyring {
  private readonly keys: readonly Key[];

  constructor(
    keys: readonly Key[],
    private readonly random: Random,
  ) {
    this.keys = keys.some((key) => key.type === 'identity') ? keys : [...keys, { type: 'identity' }];
  }

  get primary(): Key {
    return this.keys[0] ?? { type: 'identity' };
  }

  get encrypts(): boolean {
    return this.primary.type === 'aes';
  }

  /** Of the key that encrypts; `identity` where none does. */
  get primaryName(): string {
    return nameOf(this.primary);
  }

  /** In the order in which they are tried. */
  get names(): readonly string[] {
    return this.keys.map(nameOf);
  }

  /** The name of the key that opens a stored value, `identity` of plain text; null when none does. Names in values do not count. */
  keyOf(stored: string): string | null {
    const sealed = parse(stored);
    if (sealed.type === 'identity') return 'identity';
    const bytes = Buffer.from(sealed.payload, 'base64');
    const found = this.keys.find((key) => key.type === 'aes' && open(key.secret, bytes) !== undefined);
    return found === undefined ? null : nameOf(found);
  }

  encrypt(text: string): string {
    const key = this.primary;
    if (key.type === 'identity') return `enc:identity:noname:${text}`;
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.secret, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `enc:aes:${key.name}:${sealed.toString('base64')}`;
  }

  /** @throws {UndecryptableError} */
  decrypt(stored: string): string {
    const { type, name, payload } = parse(stored);
    if (type === 'identity') return payload;
    const sealed = Buffer.from(payload, 'base64');
    for (const key of this.keys) {
      const text = key.type === 'aes' && type === 'aes' ? open(key.secret, sealed) : undefined;
      if (text !== undefined) return text;
    }
    throw new UndecryptableError(name);
  }

  tryDecrypt(stored: string): string | undefined {
    try {
      return this.decrypt(stored);
    } catch (error) {
      if (error instanceof UndecryptableError) return undefined;
      throw error;
    }
  }
}

/** As which key a stored value names itself. */
export function namedKey(stored: string): string {
  const { type, name } = parse(stored);
  return type === 'identity' ? 'identity' : name;
}

const nameOf = (key: Key): string => (key.type === 'aes' ? key.name : 'identity');

function parse(stored: string): { readonly type: string; readonly name: string; readonly payload: string } {
  const match = /^enc:([^:]*):([^:]*):([^]*)$/.exec(stored);
  if (match === null) return { type: 'identity', name: 'noname', payload: stored }; // written before there was encryption
  const [, type = '', name = '', payload = ''] = match;
  return { type, name, payload };
}

function open(secret: KeyObject, sealed: Buffer): string | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch {
    return undefined; // another key's value
  }
}
