import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const VERSION = '5.2.1';
const DIRECTORY = join(tmpdir(), `dstack-moto-${VERSION}`);

/** Null: it is there, or has just been installed. */
export function whyNoMoto(): string | null {
  if (existsSync(join(DIRECTORY, 'bin', 'moto_server'))) return null;
  try {
    execFileSync('python3', ['-m', 'venv', DIRECTORY], { stdio: 'pipe' });
    execFileSync(join(DIRECTORY, 'bin', 'pip'), ['install', '-q', `moto[server]==${VERSION}`], {
      stdio: 'pipe',
      timeout: 120_000,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** AWS emulated by moto: by others, and not of our making. */
export class Moto {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<Moto> {
    const port = await freePort();
    const child = spawn(join(DIRECTORY, 'bin', 'moto_server'), ['-p', String(port)], {
      stdio: 'ignore',
      // Certificates are issued after a minute else.
      env: { ...process.env, MOTO_ACM_VALIDATION_WAIT: '2' },
    });
    const moto = new Moto(child, `http://127.0.0.1:${port}`);
    await moto.untilItAnswers();
    return moto;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await ended;
  }

  private async untilItAnswers(): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await fetch(this.url).then(() => true, () => false)) return; // prettier-ignore
      await sleep(100);
    }
    throw new Error('moto does not answer');
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
