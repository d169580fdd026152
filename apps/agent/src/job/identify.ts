import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { JobStart } from '@dstack/agent-protocol';
import type { JobContext } from './job-context.js';
import { type JobIdentity, resolveUser, usableHome } from './job-user.js';

/** Linux's numbers of the capabilities without which a process cannot become another user. */
const CAP_CHOWN = 0;
const CAP_SETGID = 6;
const CAP_SETUID = 7;

export interface Identified {
  readonly identity: JobIdentity;
  /** Whether commands must be started as another user than this process. */
  readonly switchUser: boolean;
}

export async function identifyJob(job: JobStart, context: JobContext): Promise<Identified> {
  const ownUid = process.getuid?.() ?? 0;
  if (context.runtime === 'process') return identifyProcessJob(job, context, ownUid);
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const database = { passwd: await read('/etc/passwd'), group: await read('/etc/group') };
  const image = context.imageUser === undefined || context.imageUser === '' ? undefined : context.imageUser;
  const wanted = job.user ?? image ?? String(ownUid);
  const identity = resolveUser(wanted, database);
  if (await canSwitchUser())
    return { identity, switchUser: identity.uid !== ownUid || identity.gid !== process.getgid?.() };
  return { identity: resolveUser(String(ownUid), database), switchUser: false };
}

function identifyProcessJob(job: JobStart, context: JobContext, ownUid: number): Identified {
  const { forcedIdentity } = context;
  if (forcedIdentity !== undefined) {
    if (job.user !== undefined) {
      throw new Error(
        `a process on this host cannot choose its user (it asks for "${job.user}"): remove \`user\`, or name an image`,
      );
    }
    const { uid, gid, home, name } = forcedIdentity;
    return { identity: { uid, gid, groups: [gid], name, home, shell: '/bin/sh' }, switchUser: true };
  }
  const self = userInfo();
  if (job.user !== undefined && job.user !== self.username && job.user !== String(ownUid)) {
    throw new Error(
      `the agent runs as "${self.username}" and cannot start processes as "${job.user}": remove \`user\`, or name an image`,
    );
  }
  const gid = process.getgid?.() ?? 0;
  return {
    identity: {
      uid: ownUid,
      gid,
      groups: process.getgroups?.() ?? [gid],
      name: self.username,
      home: usableHome(context.baseEnv?.['HOME'] ?? self.homedir),
      shell: '/bin/sh',
    },
    switchUser: false,
  };
}

async function canSwitchUser(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return [CAP_CHOWN, CAP_SETGID, CAP_SETUID].every((bit) => ((effective >> BigInt(bit)) & 1n) === 1n);
}
