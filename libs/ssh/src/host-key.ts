import { createHash } from 'node:crypto';

/** A host's public key as known_hosts writes it. */
export function formatHostKey(blob: Buffer): string {
  return `${blob.toString('latin1', 4, 4 + blob.readUInt32BE(0))} ${blob.toString('base64')}`;
}

/** As `ssh-keygen -l` shows it, so that a person can compare. */
export function fingerprint(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Asks for the pinned kind of key only: a host that got a key of another kind beside it has not changed. */
export function hostKeyAlgorithms(pinned: string): string[] {
  const type = pinned.split(' ')[0] ?? '';
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type];
}
