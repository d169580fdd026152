import { SettingsError } from '../settings/read-settings.js';

/** As `engines` of the package says; on an older one the database driver ends the process without a word. @throws {SettingsError} */
export function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isSupported = (major === 22 && minor >= 19) || (major === 24 && minor >= 11) || major > 24;
  if (isSupported) return;
  throw new SettingsError(
    `The server needs Node 22.19 or a later 22, or 24.11 or later; this is Node ${version}. Install one from https://nodejs.org, or use the container image.`,
  );
}
