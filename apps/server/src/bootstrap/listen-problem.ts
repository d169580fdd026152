import { hasCode } from '../errors/has-code.js';
import { SettingsError } from '../settings/settings-error.js';

/** Why a server that cannot listen is not to be looked for in its database or its directory, whose errors have the same codes. Pure. */
export function listenProblem(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  if (hasCode(error, 'ENOTFOUND') || hasCode(error, 'EAI_AGAIN'))
    return new SettingsError(`The server cannot listen on ${host}: no address is known for it. Pass another --host.`);
  if (hasCode(error, 'EACCES'))
    return new SettingsError(`The server may not listen on port ${port}. Pass a --port above 1023.`);
  return error;
}
