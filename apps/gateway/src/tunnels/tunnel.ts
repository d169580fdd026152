import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { linkSync, rmSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { SocketOwner } from '../files/listen-at.js';
import type { After } from '../replicas/open-in-time.js';
import { reconnectDelay } from '../replicas/reconnect-delay.js';
import { refusalOf } from './refusal.js';
import type { TunnelPlan, TunnelPlaces } from './tunnel-plan.js';

export interface TunnelTools {
  /** OpenSSH's client. */
  readonly ssh: string;
  /** Who connects to tunnels. */
  readonly sockets: SocketOwner;
  readonly now: () => number;
  readonly after: After;
  /** In [0, 1). */
  readonly random: () => number;
  /** By the path at which a socket was bound. */
  readonly connections: () => Promise<ReadonlyMap<string, number>>;
  /** A process that has to end with this program. */
  readonly started: (child: ChildProcess) => void;
}

export interface TunnelParts extends TunnelPlaces {
  readonly name: string;
  /** Where nginx comes: the socket, by another name, while the replica takes connections. */
  readonly path: string;
  readonly plan: TunnelPlan;
  /** @throws when the replica takes no connections */
  readonly probe: () => Promise<void>;
  /** `refusal` is another one. */
  readonly changed: () => void;
}

const BOUND_WITHIN_MS = 30_000;
const LOOK_MS = 25;
const WOKEN_WITHIN_MS = 5_000;
/** nginx may have it in its configuration until it was reloaded. */
const QUIET_MS = 2_000;
/** A replica that took connections for so long is not ill when it refuses one. */
const WELL_MS = 60_000;

/** A process of OpenSSH's client that leads from a socket of this machine to a replica, made again whenever it ends, until it is closed. */
export class Tunnel {
  stands = false;
  /** When it began to stand, or ceased to. */
  since: number;
  private child: ChildProcess | null = null;
  private failures = 0;
  /** In a row. */
  private refusals = 0;
  private openedAt = 0;
  /** Why the replica took no connection, since when nobody comes to it; null: it takes them. */
  refusal: string | null = null;
  private isOver = false;
  private readonly timers = new Set<{ cancel(): void }>();

  constructor(
    private readonly parts: TunnelParts,
    private readonly tools: TunnelTools,
  ) {
    this.since = tools.now();
    void this.run();
  }

  get name(): string {
    return this.parts.name;
  }

  get path(): string {
    return this.parts.path;
  }

  /** By which its connections are found. */
  get boundPath(): string {
    return this.parts.socketPath;
  }

  /** Nobody comes to it from now on; it ends when all connections have. */
  close(): void {
    this.isOver = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    rmSync(this.parts.path, { force: true });
    if (this.child !== null) this.later(QUIET_MS, () => this.endWhenQuiet(false));
  }

  private async run(): Promise<void> {
    const { directory } = this.parts;
    try {
      await this.writePlan();
      if (this.isOver) return;
      const ended = this.start();
      await this.untilBound(ended);
      await this.open();
      const text = await ended;
      this.fell(text);
    } catch (error) {
      this.failures += 1;
      this.fell(error instanceof Error ? error.message : String(error));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    if (!this.isOver) this.later(reconnectDelay(this.failures, this.tools.random()), () => void this.run());
  }

  private async writePlan(): Promise<void> {
    const { directory, socketPath, plan } = this.parts;
    await rm(directory, { recursive: true, force: true });
    // One that was killed left its socket, and it would be taken for the next one's.
    await rm(socketPath, { force: true });
    await mkdir(directory, { mode: 0o700 });
    for (const [path, text] of plan.files) await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  }

  /** Gives what it said last, when it has ended. */
  private start(): Promise<string> {
    const { plan } = this.parts;
    // Keys are in files that it is told of in another one: arguments are for everybody to read.
    const child = spawn(this.tools.ssh, ['-N', '-F', plan.configPath, plan.alias], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
    });
    this.child = child;
    this.tools.started(child);
    let last = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      last = (last + text).slice(-500);
      const refusal = refusalOf(text);
      if (refusal !== null) this.shut(refusal);
    });
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', () => resolve(last.trim()));
    }).then((text) => {
      this.child = null;
      return String(text);
    });
  }

  /** @throws when it ends before, or takes too long */
  private async untilBound(ended: Promise<string>): Promise<void> {
    let end: string | null = null;
    void ended.then((text) => (end = text));
    const deadline = this.tools.now() + BOUND_WITHIN_MS;
    while (!(await isSocket(this.parts.socketPath))) {
      if (end !== null) throw new Error(end);
      if (this.isOver || this.tools.now() > deadline) {
        this.child?.kill();
        throw new Error(`ssh did not log in within ${BOUND_WITHIN_MS / 1000} s`);
      }
      await new Promise<void>((resolve) => this.tools.after(LOOK_MS, resolve));
    }
  }

  private async open(): Promise<void> {
    const { directory, socketPath, path } = this.parts;
    const { user, group } = this.tools.sockets;
    if (user !== null || group !== null) {
      await chown(socketPath, user ?? -1, group ?? -1);
      await chmod(socketPath, group === null ? 0o600 : 0o660);
    }
    await this.wakeHost();
    // It has logged in.
    await rm(directory, { recursive: true, force: true });
    if (this.isOver || this.child === null) return void this.child?.kill();
    rmSync(path, { force: true });
    if (this.refusal === null) this.link();
    this.failures = 0;
    this.stands = true;
    this.since = this.tools.now();
  }

  /**
   * sshd holds small packets back until the last one was acknowledged (40 ms), unless the connection had a command once. What becomes of the command
   * is no matter, a gateway's key runs none. It never logs in by itself.
   */
  private async wakeHost(): Promise<void> {
    const { configPath, alias, takesCommands } = this.parts.plan;
    if (!takesCommands) return;
    const only = ['ControlMaster=no', 'ClearAllForwardings=yes', 'ProxyCommand=false'].flatMap((each) => ['-o', each]);
    const args = ['-F', configPath, ...only, alias, 'true'];
    await promisify(execFile)(this.tools.ssh, args, { timeout: WOKEN_WITHIN_MS }).catch(() => undefined);
  }

  private fell(why: string): void {
    rmSync(this.parts.path, { force: true });
    if (this.stands || this.failures === 1) process.stderr.write(`tunnel ${this.name}: ${why}\n`);
    if (this.stands) this.since = this.tools.now();
    this.stands = false;
  }

  private link(): void {
    linkSync(this.parts.socketPath, this.parts.path);
    this.openedAt = this.tools.now();
  }

  /** The replica took no connection: nginx goes to others, and to the program, from this moment on. */
  private shut(refusal: string): void {
    if (this.refusal !== null || this.isOver) return;
    this.refusal = refusal;
    rmSync(this.parts.path, { force: true });
    this.refusals = this.tools.now() - this.openedAt > WELL_MS ? 0 : this.refusals + 1;
    this.probeLater();
    this.parts.changed();
  }

  private probeLater(): void {
    this.later(reconnectDelay(this.refusals, this.tools.random()), () => {
      this.parts.probe().then(
        () => {
          this.refusal = null;
          if (this.isOver) return;
          if (this.stands) this.link();
          this.parts.changed();
        },
        () => {
          this.refusals += 1;
          if (!this.isOver) this.probeLater();
        },
      );
    });
  }

  private endWhenQuiet(wasQuiet: boolean): void {
    void this.tools.connections().then((connections) => {
      const isQuiet = (connections.get(this.parts.socketPath) ?? 0) === 0;
      if (isQuiet && wasQuiet) this.child?.kill();
      else if (this.child !== null) this.later(QUIET_MS, () => this.endWhenQuiet(isQuiet));
    });
  }

  private later(ms: number, then: () => void): void {
    const timer = this.tools.after(ms, () => {
      this.timers.delete(timer);
      then();
    });
    this.timers.add(timer);
  }
}

async function isSocket(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
