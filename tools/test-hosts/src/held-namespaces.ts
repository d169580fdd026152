import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ENVIRONMENT, runProgram } from './run-program.js';

export interface HeldScript {
  /** Starts whatever holds the namespaces: ends in `sh`, which is given the script. */
  readonly argv: readonly string[];
  /** Prepares them, prints `ready` and then lives until its stdin ends. */
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * Namespaces with a process that keeps them. That process ends with its stdin, so a test that was killed leaves nothing behind:
 * the kernel removes what no process is in.
 */
export class HeldNamespaces {
  private constructor(private readonly child: ChildProcess) {}

  static async make({ argv, script, args }: HeldScript): Promise<HeldNamespaces> {
    const [file = '', ...rest] = argv;
    const child = spawn(file, [...rest, '-c', script, 'dstack-test-host', ...args], {
      env: ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)));
    child.stdin.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      let stdout = '';
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
        if (stdout.includes('ready\n')) resolve();
      });
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`a test host did not start (exit code ${code}): ${stderr}`)));
    });
    return new HeldNamespaces(child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** In its network alone, with the programs of this machine. */
  async inNetwork(script: string): Promise<string> {
    return await runProgram(['nsenter', `--target=${this.pid}`, '--net', 'sh', '-ec', script]);
  }

  /** Gives them up; with a pid namespace in them, resolves when all of its processes are dead. */
  async release(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.stdin?.end();
    await exited;
  }
}
