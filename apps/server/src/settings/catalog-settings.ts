import { type Environment, integer, text } from './environment.js';
import { SettingsError } from './settings-error.js';
import type { CatalogSettings } from './settings.js';

/** @throws {SettingsError} */
export function readCatalogSettings(env: Environment): CatalogSettings {
  const seconds = integer(env, 'DSTACK_SERVER_CATALOG_REFRESH_SECONDS');
  if (seconds < 0) {
    throw new SettingsError(`DSTACK_SERVER_CATALOG_REFRESH_SECONDS must be 0 (never) or more, not ${seconds}.`);
  }
  return {
    refreshMs: seconds === 0 ? null : seconds * 1000,
    url: catalogUrl(text(env, 'DSTACK_SERVER_CATALOG_URL')),
    googleApiKey: text(env, 'DSTACK_SERVER_CATALOG_GOOGLE_API_KEY'),
  };
}

/** Plain, as errors name it: a URL with a password or a signature is no place for one. */
function catalogUrl(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    throw new SettingsError(
      'DSTACK_SERVER_CATALOG_URL must be like https://host/path, without a password and a query.',
    );
  return given.replace(/\/+$/, '');
}
