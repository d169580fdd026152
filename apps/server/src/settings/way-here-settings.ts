import { isIP } from 'node:net';
import { isProxyRange } from '../services/proxy/client-address.js';
import { type Environment, text } from './environment.js';
import { SettingsError } from './settings-error.js';

/** As clients write it. @throws {SettingsError} */
export function readOwnUrl(env: Environment): string | undefined {
  const url = text(env, 'DSTACK_SERVER_URL')?.replace(/\/+$/, '');
  if (url !== undefined && (!/^https?:\/\//.test(url) || !URL.canParse(url)))
    throw new SettingsError(`DSTACK_SERVER_URL must be like https://dstack.example.com, not "${url}".`);
  return url;
}

/** @throws {SettingsError} */
export function readTrustedProxies(given: readonly string[]): readonly string[] {
  const strange = given.find((entry) => entry !== '*' && isIP(entry) === 0 && !isProxyRange(entry));
  if (strange !== undefined)
    throw new SettingsError(
      `FORWARDED_ALLOW_IPS must have addresses, ranges like 10.0.0.0/8, or *, with commas between them: not "${strange}".`,
    );
  return given;
}
