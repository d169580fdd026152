import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DiskReserve } from './disk-reserve.js';
import { FileLog } from './file-log.js';
import { keyText, LogWatchers } from './log-watchers.js';
import type { LogChunk, LogKey, LogSlice, LogStore } from './log-store.js';

const KNOWN_LOGS = 500;
const EMPTY: LogSlice = { chunks: [], endOffset: 0, complete: false };

/** Logs as files under `<server dir>/projects/<project>/logs/<run>/<submission>/`. For one server process only. */
export class FileLogStore implements LogStore {
  private readonly watchers = new LogWatchers();
  /** Least recently used first. */
  private readonly logs = new Map<string, Promise<FileLog>>();

  constructor(
    private readonly serverDir: string,
    private readonly reserve = new DiskReserve(serverDir),
  ) {}

  async endOffset(key: LogKey): Promise<number> {
    return (await this.existing(key))?.endOffset ?? 0;
  }

  async append(key: LogKey, startOffset: number, chunks: readonly LogChunk[], onWritten?: () => void): Promise<number> {
    await this.reserve.require(chunks.reduce((sum, { payload }) => sum + payload.length, 0));
    const end = await (await this.open(key)).append(startOffset, chunks, onWritten);
    this.watchers.notify(key);
    return end;
  }

  async complete(key: LogKey): Promise<void> {
    await (await this.open(key)).complete();
    this.watchers.notify(key);
  }

  async read(key: LogKey, fromOffset: number, maxBytes: number): Promise<LogSlice> {
    return (await (await this.existing(key))?.read(fromOffset, maxBytes)) ?? EMPTY;
  }

  async offsetAfter(key: LogKey, at: number): Promise<number> {
    return (await this.existing(key))?.offsetAfter(at) ?? 0;
  }

  watch(key: LogKey, changed: () => void): () => void {
    return this.watchers.watch(key, changed);
  }

  async deleteRun(projectName: string, runName: string, jobIds: readonly string[]): Promise<void> {
    for (const [name, log] of [...this.logs]) {
      if (!jobIds.some((id) => name.startsWith(`${id}/`))) continue;
      this.logs.delete(name);
      await (await log).close();
    }
    for (const jobId of jobIds) await rm(this.folder(projectName, runName, jobId), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    const open = [...this.logs.values()];
    this.logs.clear();
    await Promise.all(open.map(async (log) => (await log).close()));
  }

  async has(key: LogKey): Promise<boolean> {
    return (await this.existing(key)) !== undefined;
  }

  /** Reading never creates files. */
  private async existing(key: LogKey): Promise<FileLog | undefined> {
    if (this.logs.has(keyText(key))) return this.open(key);
    try {
      await access(`${this.path(key)}.idx`);
    } catch {
      return undefined;
    }
    return this.open(key);
  }

  private async open(key: LogKey): Promise<FileLog> {
    const name = keyText(key);
    const known = this.logs.get(name);
    if (known) {
      this.logs.delete(name);
      this.logs.set(name, known);
      return known;
    }
    const opening = FileLog.open(this.path(key));
    this.logs.set(name, opening);
    opening.catch(() => this.logs.delete(name));
    this.forgetOldest();
    return opening;
  }

  /** Only complete logs are dropped: they hold memory, no open file. */
  private forgetOldest(): void {
    if (this.logs.size <= KNOWN_LOGS) return;
    for (const [name, opening] of this.logs) {
      const forget = (log: FileLog): void => {
        if (log.isComplete && this.logs.get(name) === opening && this.logs.size > KNOWN_LOGS) this.logs.delete(name);
      };
      // Who opened it is told why it cannot be opened.
      void opening.then(forget, () => undefined);
    }
  }

  private path(key: LogKey): string {
    return join(this.folder(key.projectName, key.runName, key.jobId), key.stream);
  }

  private folder(projectName: string, runName: string, jobId: string): string {
    return join(this.serverDir, 'projects', projectName, 'logs', runName, jobId);
  }
}
