import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Since OpenSSH 7.8 a cipher can be preferred without naming all others. */
const SINCE = [7, 8] as const;

/** The program, if it is an OpenSSH client that tunnels can be made with; null: there is none. */
export async function findSsh(program: string): Promise<string | null> {
  const said = await promisify(execFile)(program, ['-V'], { timeout: 10_000 }).catch(() => null);
  return said !== null && canTunnel(said.stderr) ? program : null;
}

/** @param version as `ssh -V` says it */
export function canTunnel(version: string): boolean {
  const [, major = '0', minor = '0'] = /^OpenSSH_(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > SINCE[0] || (Number(major) === SINCE[0] && Number(minor) >= SINCE[1]);
}
