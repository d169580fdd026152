import { createHash, timingSafeEqual } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';

const KEY_TYPE = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa)$/;

/** What a client showed: a key, and (after it was told that the key may do) a signature with it. */
export interface KeyOffer {
  readonly algorithm: string;
  readonly blob: Buffer;
  readonly hashAlgorithm: string | undefined;
  readonly proof: { readonly signed: Buffer; readonly signature: Buffer } | undefined;
}

export type KeyVerdict =
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'may-sign' }
  | { readonly outcome: 'accepted'; readonly fingerprint: string };

/** Keys of `authorized_keys` lines. A line with options is not used: granting more than it says would be wrong. */
export function parseAuthorizedKeys(lines: readonly string[]): ParsedKey[] {
  return lines
    .flatMap((line) => line.split('\n'))
    .flatMap((line) => {
      const text = line.trim();
      if (!KEY_TYPE.test(text.split(/\s+/, 1)[0] ?? '')) return [];
      const key = ssh2.utils.parseKey(text);
      return key instanceof Error || key.isPrivateKey() ? [] : [key];
    });
}

export function judgeKey(offer: KeyOffer, authorized: readonly ParsedKey[]): KeyVerdict {
  if (!KEY_TYPE.test(offer.algorithm)) return { outcome: 'refused' };
  // RSA signatures over SHA-1 can be forged.
  if (offer.algorithm === 'ssh-rsa' && offer.hashAlgorithm === undefined) return { outcome: 'refused' };
  let found: ParsedKey | undefined;
  for (const key of authorized) if (sameKey(key, offer.blob)) found = key;
  if (found?.type !== offer.algorithm) return { outcome: 'refused' };
  if (offer.proof === undefined) return { outcome: 'may-sign' };
  const valid: unknown = found.verify(offer.proof.signed, offer.proof.signature, offer.hashAlgorithm);
  return valid === true ? { outcome: 'accepted', fingerprint: fingerprint(offer.blob) } : { outcome: 'refused' };
}

export function fingerprints(lines: readonly string[]): string[] {
  return parseAuthorizedKeys(lines).map((key) => fingerprint(key.getPublicSSH()));
}

function sameKey(key: ParsedKey, blob: Buffer): boolean {
  const own = key.getPublicSSH();
  return own.length === blob.length && timingSafeEqual(own, blob);
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
