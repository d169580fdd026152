import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { SessionPlace } from './options.js';

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Set when a child needs another identity than ours. */
export function foreignIdentity(
  place: SessionPlace,
): { uid: number; gid: number; groups: readonly number[] } | undefined {
  if (place.uid === undefined || process.getuid?.() !== 0) return undefined;
  const gid = place.gid ?? place.uid;
  return { uid: place.uid, gid, groups: place.groups ?? [gid] };
}

/** Starts a program as the job's user, leader of a process group of its own. */
export function startAsJob(
  place: SessionPlace,
  childCommand: readonly string[],
  program: { file: string; args: readonly string[]; env: Readonly<Record<string, string>>; cwd: string },
): Child {
  const identity = foreignIdentity(place);
  if (identity === undefined || identity.groups.every((group) => group === identity.gid)) {
    return spawn(program.file, program.args, {
      cwd: program.cwd,
      env: program.env,
      detached: true,
      stdio: 'pipe',
      ...(identity === undefined ? {} : { uid: identity.uid, gid: identity.gid }),
    });
  }
  // Node drops all supplementary groups when it switches the user: a child of ours takes them, switches and becomes the program.
  const child = startHelper(place, childCommand, ['exec', program.file, ...program.args], program.cwd, true);
  const environment = child.stdio[3];
  if (environment !== undefined && environment !== null && 'end' in environment) {
    environment.on('error', () => undefined);
    environment.end(JSON.stringify(program.env));
  }
  return child;
}

/**
 * Starts this agent's own code with the job user's rights. It is root until it has dropped them, so nothing of the job's
 * environment (NODE_OPTIONS, LD_PRELOAD) may reach it before.
 */
export function startHelper(
  place: SessionPlace,
  childCommand: readonly string[],
  args: readonly string[],
  cwd: string,
  withEnvironment = false,
): Child {
  const [file = process.execPath, ...rest] = childCommand;
  const identity = foreignIdentity(place);
  const who =
    identity === undefined
      ? []
      : ['--uid', String(identity.uid), '--gid', String(identity.gid), '--groups', identity.groups.join(',')];
  return spawn(file, [...rest, ...who, '--cwd', cwd, '--home', place.home, '--', ...args], {
    cwd: '/',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    detached: true,
    stdio: withEnvironment ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
  });
}
