/** Handshakes for unknown names can be refused since 1.19.4. */
export function canRejectHandshake(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && (minor > 19 || (minor === 19 && patch >= 4)));
}
