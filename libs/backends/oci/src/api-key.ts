import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readProfile } from './config-file.js';
import { type OciConfig, REGION_NAME } from './definition.js';

/** Who asks: requests are signed with the key. */
export interface ApiKey {
  readonly tenancy: string;
  readonly user: string;
  readonly fingerprint: string;
  readonly key: KeyObject;
  /** Where it is asked first. */
  readonly region: string;
}

/** The credentials name something that is not there or is none; `path` is in the configuration. Holds no part of a key. */
export class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError';
  constructor(
    readonly path: readonly string[],
    message: string,
  ) {
    super(message);
  }
}

/** @throws {ApiKeyError} */
export async function readApiKey({ creds }: Pick<OciConfig, 'creds'>): Promise<ApiKey> {
  if (creds.type === 'default') return fromFile(creds);
  const field = creds.key_file ? 'key_file' : 'key_content';
  const pem = creds.key_file ? await textOf(creds.key_file, ['creds', 'key_file']) : (creds.key_content ?? '');
  const { tenancy, user, fingerprint, region } = creds;
  return { tenancy, user, fingerprint, region, key: parseKey(pem, creds.pass_phrase ?? '', ['creds', field]) };
}

async function fromFile({ file, profile }: { readonly file: string; readonly profile: string }): Promise<ApiKey> {
  const values = readProfile(await textOf(file, ['creds', 'file']), profile);
  if (values === null) throw new ApiKeyError(['creds', 'profile'], `${file} has no profile ${profile}`);
  const value = (name: string): string => {
    const found = values.get(name);
    if (!found) throw new ApiKeyError(['creds', 'file'], `profile ${profile} of ${file} has no ${name}`);
    return found;
  };
  const region = value('region');
  if (!REGION_NAME.test(region))
    throw new ApiKeyError(['creds', 'file'], `profile ${profile} of ${file} names no region`);
  const pem = await textOf(value('key_file'), ['creds', 'file']);
  return {
    tenancy: value('tenancy'),
    user: value('user'),
    fingerprint: value('fingerprint'),
    region,
    key: parseKey(pem, values.get('pass_phrase') ?? '', ['creds', 'file']),
  };
}

async function textOf(path: string, field: readonly string[]): Promise<string> {
  const absolute = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
  try {
    return await readFile(absolute, 'utf8');
  } catch {
    throw new ApiKeyError(field, `${path} cannot be read on the server`);
  }
}

function parseKey(pem: string, passphrase: string, field: readonly string[]): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, passphrase });
  } catch {
    throw new ApiKeyError(field, 'is no private key in PEM, or pass_phrase does not open it');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new ApiKeyError(field, 'is no RSA key, and Oracle takes no other');
  return key;
}
