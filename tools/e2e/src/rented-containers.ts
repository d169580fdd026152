import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RentedContainer {
  readonly id: string;
  readonly image: string;
  readonly entrypoint: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a cloud of containers starts, in this machine's engine: with the real start command, and its SSH port where the cloud says. */
export class RentedContainers {
  private readonly ids = new Map<string, string>();

  /** @param address of this machine, where their SSH ports are published */
  constructor(private readonly address = '127.0.0.1') {}

  get count(): number {
    return this.ids.size;
  }

  async boot({
    id,
    image,
    entrypoint,
    args,
    env,
  }: RentedContainer): Promise<{ host: string; port: number; internalIp: string }> {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const published = ['-p', `${this.address}::10022`];
    const start = ['run', '-d', ...published, ...variables, '--entrypoint', entrypoint, image, ...args];
    const container = (await run('docker', start)).stdout.trim();
    this.ids.set(id, container);
    const { stdout } = await run('docker', ['port', container, '10022/tcp']);
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const inspected = await run('docker', ['inspect', '-f', format, container]);
    return { host: this.address, port: Number(stdout.trim().split(':').at(-1)), internalIp: inspected.stdout.trim() };
  }

  async run(id: string, command: string): Promise<void> {
    await run('docker', ['exec', this.ids.get(id) ?? '', '/bin/sh', '-c', command]);
  }

  /** Everything it has said, for when it says too little. */
  async log(id: string): Promise<string> {
    const { stdout, stderr } = await run('docker', ['logs', this.ids.get(id) ?? '']);
    return stdout + stderr;
  }

  async halt(id: string): Promise<void> {
    const container = this.ids.get(id);
    if (container === undefined) return;
    await run('docker', ['rm', '-f', container]);
    this.ids.delete(id);
  }

  async close(): Promise<void> {
    for (const id of [...this.ids.keys()]) await this.halt(id);
  }
}
