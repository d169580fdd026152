import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogFrameDecoder } from '@dstack/agent-protocol';
import type { Wire } from '@dstack/core';

const TOKEN = 'e2e-admin-token';
const MAIN = join(import.meta.dirname, '../../bin/main.mjs');
const FINISHED = new Set(['done', 'failed', 'terminated']);

/** One built server with its own directory, as a process that can be killed. */
export class ServerProcess {
  readonly dir = mkdtempSync(join(tmpdir(), 'dstack-srv-'));
  private child: ChildProcess | null = null;
  private port = 0;
  private output = '';

  constructor(
    private readonly databaseUrl: string | null,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  /** `config.yml`, for the next start. */
  writeConfig(text: string): void {
    mkdirSync(join(this.dir, 's'), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.dir, 's/config.yml'), text, { mode: 0o600 });
  }

  async start(): Promise<void> {
    this.port ||= await freePort();
    const child = spawn(process.execPath, [MAIN, '--host', '127.0.0.1', '--port', String(this.port)], {
      env: {
        PATH: process.env['PATH'],
        // No test reaches a cloud.
        DSTACK_SERVER_BACKEND_ENDPOINTS: 'aws=http://127.0.0.1:1,lambda=http://127.0.0.1:1',
        HOME: this.dir,
        DSTACK_SERVER_DIR: join(this.dir, 's'),
        DSTACK_SERVER_ADMIN_TOKEN: TOKEN,
        ...(this.databaseUrl === null ? {} : { DSTACK_DATABASE_URL: this.databaseUrl }),
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the server exited with ${code}: ${this.output.slice(-3000)}`)));
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends the server, its agents and what they run. */
  async destroy(): Promise<void> {
    await this.kill('SIGKILL');
    for (const pid of this.agentPids()) endGroup(pid);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  agentPids(): number[] {
    const root = join(this.dir, 's/local');
    if (!existsSync(root)) return [];
    return readdirSync(root)
      .map((name) => join(root, name, 'agent.pid'))
      .filter((file) => existsSync(file))
      .map((file) => Number.parseInt(readFileSync(file, 'utf8'), 10))
      .filter((pid) => pid > 1);
  }

  log(): string {
    return this.output;
  }

  async post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    const reply = await this.send(path, body, headers);
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}/api/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  upload(path: string, form: FormData): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return fetch(`http://127.0.0.1:${this.port}/api/${path}`, { method: 'POST', headers, body: form });
  }

  fetch(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  }

  apply(configuration: object, more: { current?: Wire.Run; force?: boolean; key?: string } = {}): Promise<Wire.Run> {
    const headers: Record<string, string> = more.key === undefined ? {} : { 'x-idempotency-key': more.key };
    const plan = { run_spec: runSpec(configuration), current_resource: more.current ?? null };
    return this.post('project/main/runs/apply', { plan, force: more.force ?? false }, headers);
  }

  run(name: string): Promise<Wire.Run> {
    return this.post('project/main/runs/get', { run_name: name });
  }

  stop(name: string, abort = false): Promise<void> {
    return this.post('project/main/runs/stop', { runs_names: [name], abort });
  }

  finished(name: string): Promise<Wire.Run> {
    return this.until(name, (run) => FINISHED.has(run.status));
  }

  async until(name: string, is: (run: Wire.Run) => boolean, limitMs = 45_000): Promise<Wire.Run> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const run = await this.run(name).catch(() => null);
      if (run !== null && is(run)) return run;
      if (Date.now() > deadline)
        throw new Error(`${name} is still ${run?.status ?? 'unknown'}:\n${this.output.slice(-4000)}`);
      await sleep(50);
    }
  }

  /** The whole log, following it until it is complete. */
  async logs(name: string, options: { diagnose?: boolean } = {}): Promise<string> {
    const url = `http://127.0.0.1:${this.port}/api/project/main/runs/${name}/logs/stream?follow=true&diagnose=${options.diagnose ?? false}`;
    const reply = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
    const decoder = new LogFrameDecoder();
    const parts: Buffer[] = [];
    for await (const chunk of reply.body ?? []) {
      for (const frame of decoder.push(chunk as Uint8Array)) parts.push(Buffer.from(frame.payload));
    }
    return Buffer.concat(parts).toString('utf8').replaceAll('\r\n', '\n');
  }
}

export function runSpec(configuration: object): object {
  return {
    configuration: { type: 'task', resources: { cpu: '1..', memory: '0.1GB..', disk: null }, ...configuration },
  };
}

export function submission(run: Wire.Run): Wire.JobSubmission {
  const last = run.jobs[0]?.job_submissions.at(-1);
  if (last === undefined) throw new Error('the run has no submission');
  return last;
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
