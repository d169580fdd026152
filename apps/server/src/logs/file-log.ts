import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ChunkIndex, encodeCompletion, encodeEntry } from './chunk-index.js';
import { type LogChunk, LogOffsetConflictError, type LogSlice, type StoredChunk } from './log-store.js';

/** As many as one system call takes. */
const MOST_PARTS = 1024;

interface Writers {
  readonly data: FileHandle;
  readonly index: FileHandle;
}

/**
 * One log on disk: `<path>.log` holds the bytes as the job wrote them (people may `less` it), `<path>.idx` the ends and times of its chunks.
 * The index is written after the bytes are on disk, so what the index names is there; bytes beyond it are an append that never finished.
 */
export class FileLog {
  private writers: Writers | undefined;
  private tail: Promise<unknown> = Promise.resolve();
  /** The entries of all appends so far, one after the other. */
  private indexing: Promise<unknown> = Promise.resolve();
  /** Where the bytes end that are written or being written; the index may not name all of them yet. */
  private dataEnd: number;

  private constructor(
    private readonly path: string,
    private readonly index: ChunkIndex,
  ) {
    this.dataEnd = index.endOffset;
  }

  /** Creates no file. */
  static async open(path: string): Promise<FileLog> {
    return new FileLog(path, new ChunkIndex(await readFile(`${path}.idx`).catch(emptyWhenMissing)));
  }

  get endOffset(): number {
    return this.index.endOffset;
  }

  get isComplete(): boolean {
    return this.index.complete;
  }

  /** @param onWritten the bytes are on disk: those of the next append may be written while the index waits for the disk */
  append(startOffset: number, chunks: readonly LogChunk[], onWritten?: () => void): Promise<number> {
    const filled = chunks.filter((chunk) => chunk.payload.length > 0);
    const former = this.indexing;
    const written = this.serially(async () => {
      if (startOffset !== this.dataEnd || this.index.complete) {
        await former;
        throw new LogOffsetConflictError(this.index.endOffset);
      }
      if (filled.length > 0) await this.writeBytes(startOffset, filled.map(({ payload }) => payload)); // prettier-ignore
      onWritten?.();
    });
    const indexed = Promise.all([written, former]).then(() => this.writeEntries(startOffset, filled));
    this.indexing = indexed.catch(() => undefined);
    return indexed;
  }

  private async writeBytes(startOffset: number, parts: readonly Uint8Array[]): Promise<void> {
    const end = startOffset + parts.reduce((sum, part) => sum + part.length, 0);
    this.dataEnd = end;
    try {
      const { data } = await this.openWriters();
      await writeAllOf(data, parts, startOffset);
      await data.datasync();
    } catch (error) {
      if (this.dataEnd === end) this.dataEnd = startOffset;
      throw error;
    }
  }

  private async writeEntries(startOffset: number, chunks: readonly LogChunk[]): Promise<number> {
    // The append before it has failed.
    if (this.index.endOffset !== startOffset) throw new LogOffsetConflictError(this.index.endOffset);
    if (chunks.length === 0) return startOffset;
    let offset = startOffset;
    const entries = Buffer.concat(chunks.map((chunk) => encodeEntry((offset += chunk.payload.length), chunk.at)));
    try {
      const { index } = await this.openWriters();
      await writeAll(index, entries, this.index.storedBytes);
      await index.datasync();
    } catch (error) {
      this.dataEnd = startOffset;
      throw error;
    }
    this.index.push(entries);
    return this.index.endOffset;
  }

  complete(): Promise<void> {
    const former = this.indexing;
    return this.serially(async () => {
      await former;
      if (!this.index.complete) {
        const { index } = await this.openWriters();
        await writeAll(index, encodeCompletion(this.index.endOffset), this.index.storedBytes);
        await index.datasync();
        this.index.complete = true;
      }
      await this.closeWriters();
    });
  }

  async read(fromOffset: number, maxBytes: number): Promise<LogSlice> {
    const { endOffset, complete } = this.index;
    const until = Math.min(endOffset, fromOffset + maxBytes);
    if (until <= fromOffset) return { chunks: [], endOffset, complete };
    const bytes = await readRange(`${this.path}.log`, fromOffset, until);
    const chunks: StoredChunk[] = [];
    for (let entry = this.index.entryAt(fromOffset); entry < this.index.count; entry += 1) {
      const start = Math.max(fromOffset, this.index.startOf(entry));
      const end = Math.min(fromOffset + bytes.length, this.index.endOf(entry));
      if (end <= start) break;
      const payload = bytes.subarray(start - fromOffset, end - fromOffset);
      chunks.push({ startOffset: start, at: this.index.atOf(entry), payload });
    }
    return { chunks, endOffset, complete };
  }

  offsetAfter(at: number): number {
    const entry = this.index.entryAfter(at);
    return entry < this.index.count ? this.index.startOf(entry) : this.index.endOffset;
  }

  close(): Promise<void> {
    const former = this.indexing;
    return this.serially(async () => {
      await former;
      await this.closeWriters();
    });
  }

  private async openWriters(): Promise<Writers> {
    if (!this.writers) {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      this.writers = {
        data: await openForWriting(`${this.path}.log`),
        index: await openForWriting(`${this.path}.idx`),
      };
    }
    return this.writers;
  }

  private async closeWriters(): Promise<void> {
    const writers = this.writers;
    this.writers = undefined;
    await Promise.all([writers?.data.close(), writers?.index.close()]);
  }

  private serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work, work);
    this.tail = result.catch(() => undefined);
    return result;
  }
}

function emptyWhenMissing(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

/** Created when missing, never truncated, written at positions (append mode would ignore them). */
async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch {
    await (await open(path, 'a', 0o600)).close();
    return open(path, 'r+');
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** Without joining them: at full speed the copies would be most of the work. */
async function writeAllOf(file: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  for (let from = 0; from < parts.length; from += MOST_PARTS) {
    const some = parts.slice(from, from + MOST_PARTS);
    const length = some.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await file.writev(some, at);
    // Seldom: the rest of what was written in part.
    if (bytesWritten < length) await writeAll(file, Buffer.concat(some).subarray(bytesWritten), at + bytesWritten);
    at += length;
  }
}

async function readRange(path: string, from: number, until: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(until - from);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
