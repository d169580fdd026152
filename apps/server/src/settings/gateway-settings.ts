import { readFileSync } from 'node:fs';
import { type Environment, text } from './environment.js';
import { SettingsError } from './settings-error.js';
import type { AcmeAuthority } from './settings.js';

/** @throws {SettingsError} */
export function readProxyUrl(env: Environment): string | undefined {
  const url = text(env, 'DSTACK_SERVER_PROXY_URL')?.replace(/\/+$/, '');
  if (url === undefined) return undefined;
  if (!/^https?:\/\/[^/?#]+$/.test(url) || !URL.canParse(url))
    throw new SettingsError(`DSTACK_SERVER_PROXY_URL must be an origin like https://services.example.com, not ${url}.`);
  return url;
}

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** Who certifies the names of gateways. @throws {SettingsError} */
export function readAcmeAuthority(env: Environment): AcmeAuthority {
  const directoryUrl = text(env, 'DSTACK_ACME_SERVER') ?? LETS_ENCRYPT;
  if (!/^https?:\/\//.test(directoryUrl) || !URL.canParse(directoryUrl))
    throw new SettingsError(`DSTACK_ACME_SERVER must be the URL of an ACME directory, not ${directoryUrl}.`);
  const keyId = text(env, 'DSTACK_ACME_EAB_KID');
  const hmacKey = text(env, 'DSTACK_ACME_EAB_HMAC_KEY');
  if ((keyId === undefined) !== (hmacKey === undefined))
    throw new SettingsError('DSTACK_ACME_EAB_KID and DSTACK_ACME_EAB_HMAC_KEY must be set together.');
  const file = text(env, 'DSTACK_ACME_CA_FILE');
  return {
    directoryUrl,
    email: text(env, 'DSTACK_ACME_EMAIL') ?? null,
    eab: keyId === undefined || hmacKey === undefined ? null : { keyId, hmacKey },
    caCertificate: file === undefined ? null : readCertificate(file),
  };
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError(`DSTACK_ACME_CA_FILE cannot be read: ${error instanceof Error ? error.message : file}.`);
  }
}
