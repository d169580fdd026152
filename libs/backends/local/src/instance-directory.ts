import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError } from '@dstack/backend-base';
import { z } from 'zod';

const recordSchema = z.object({
  owner: z.string(),
  token: z.string(),
  createdAt: z.number(),
  allocation: z.object({ cpus: z.number(), memoryMib: z.number(), gpus: z.array(z.number()) }),
  /** Set once the instance is to go: from then on nobody starts its agent again. */
  terminatingSince: z.number().nullable().default(null),
});

export type InstanceRecord = z.infer<typeof recordSchema>;

const processSchema = z.object({
  pid: z.number(),
  /** Tells the process from a later one with the same id. */
  startedAs: z.string().nullable(),
  spawnedAt: z.number(),
  /** How often in a row the agent ended within seconds. */
  quickDeaths: z.number(),
});

export type AgentRecord = z.infer<typeof processSchema>;

const SAFE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const LONGEST_SOCKET_PATH = 107;

/** `<root>/<cloud name>/`: everything that is known of one instance, and the place its agent lives in. */
export class InstanceDirectory {
  readonly path: string;

  constructor(
    root: string,
    readonly cloudName: string,
  ) {
    if (!SAFE_NAME.test(cloudName)) {
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, `'${cloudName}' is not a name of a local instance`);
    }
    this.path = join(root, cloudName);
  }

  get socketPath(): string {
    return join(this.path, 'agent.sock');
  }

  get logPath(): string {
    return join(this.path, 'agent.log');
  }

  /** Null when there is no such instance; a directory without a readable record is one that was never finished. */
  async record(): Promise<InstanceRecord | null> {
    return readJson(join(this.path, 'instance.json'), recordSchema);
  }

  async writeRecord(record: InstanceRecord): Promise<void> {
    if (Buffer.byteLength(this.socketPath) > LONGEST_SOCKET_PATH) {
      throw new BackendError(
        { kind: 'rejected', blocks: 'account' },
        `the socket path ${this.socketPath} is longer than ${LONGEST_SOCKET_PATH} bytes: use a shorter server directory`,
      );
    }
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeJson(join(this.path, 'instance.json'), record);
  }

  async agent(): Promise<AgentRecord | null> {
    return readJson(join(this.path, 'agent-process.json'), processSchema);
  }

  async writeAgent(agent: AgentRecord): Promise<void> {
    await writeJson(join(this.path, 'agent-process.json'), agent);
  }

  /** As the agent itself wrote it; null when it has not. */
  async ownPid(): Promise<number | null> {
    const text = await readFile(join(this.path, 'agent.pid'), 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  }

  /** The jobs the agent has had, by the directories it made for them. */
  async jobIds(): Promise<Set<string>> {
    return new Set(await readdir(join(this.path, 'jobs')).catch(() => []));
  }

  async lastLogLine(): Promise<string> {
    const text = await readFile(this.logPath, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').at(-1) ?? '';
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export async function listDirectories(root: string): Promise<InstanceDirectory[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(noneIfAbsent);
  return entries
    .filter((entry) => entry.isDirectory() && SAFE_NAME.test(entry.name))
    .map((entry) => new InstanceDirectory(root, entry.name));
}

function noneIfAbsent(error: unknown): never[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

// Readers see the old file or the new one, also after a crash.
async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}
