import { ClientError, MalformedVersionError } from './api-errors.js';

/** The API this server speaks; its own package has a version of its own. */
export const API_VERSION = '0.21.2';

export interface ClientVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** PEP 440: each suffix at most once, so that no text makes the match try every split of a long row of them. */
const RELEASE =
  /^v?(?:\d+!)?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.\d+)*(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;
const LONGEST_VERSION = 100;

/** Undefined: the newest client, for which nothing is adapted. */
export function parseClientVersion(header: string | undefined): ClientVersion | undefined {
  const text = header?.trim();
  if (text === undefined || text === 'latest' || text.startsWith('0.0.0')) return undefined;
  const match = text.length > LONGEST_VERSION ? null : RELEASE.exec(text);
  if (match === null) throw new MalformedVersionError(`Invalid version: ${text.slice(0, LONGEST_VERSION)}`);
  return { major: Number(match[1]), minor: Number(match[2] ?? 0), patch: Number(match[3] ?? 0) };
}

/** An older client is adapted to, a newer patch is fine; a newer minor may ask for what this server does not know. */
export function refuseNewerClient(client: ClientVersion | undefined): void {
  if (client === undefined) return;
  const [major = 0, minor = 0] = API_VERSION.split('.').map(Number);
  if (client.major < major || (client.major === major && client.minor <= minor)) return;
  throw new ClientError(
    `The client/CLI version (${client.major}.${client.minor}.${client.patch}) is newer than the API of this server (${API_VERSION}). Update the server or use an older client.`,
  );
}

export function isOlderThan(client: ClientVersion | undefined, major: number, minor: number, patch: number): boolean {
  if (client === undefined) return false;
  const own = [client.major, client.minor, client.patch];
  const other = [major, minor, patch];
  const differs = own.findIndex((part, index) => part !== other[index]);
  return differs >= 0 && (own[differs] ?? 0) < (other[differs] ?? 0);
}
