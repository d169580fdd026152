/** Handshakes for unknown names can be refused since 1.19.4. */
export function canRejectHandshake(version: string): boolean {
  return isSince(version, 19, 4);
}

/** How long a connection to an upstream is kept can be said since 1.15.3; it is a minute before. */
export function canCloseIdle(version: string): boolean {
  return isSince(version, 15, 3);
}

/** Of 1.x. */
function isSince(version: string, minor: number, patch: number): boolean {
  const [ownMajor = 0, ownMinor = 0, ownPatch = 0] = version.split('.').map(Number);
  return ownMajor > 1 || (ownMajor === 1 && (ownMinor > minor || (ownMinor === minor && ownPatch >= patch)));
}
