import { type FileHandle, open, stat } from 'node:fs/promises';
import { type CountedLine, countedLine } from './counted-line.js';

const CHUNK_BYTES = 256 * 1024;

interface Part {
  readonly file: FileHandle;
  readonly inode: number;
  at: number;
  /** The beginning of a line whose end has not been written yet. */
  rest: string;
}

/** What nginx writes down of requests that go past this program, read as it is written. */
export class AccessLog {
  /** The file of now, after the one before it, which nginx may still write to for a moment. */
  private parts: Part[] = [];
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  private reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly count: (line: CountedLine) => void,
  ) {}

  /** What is there already was counted by the program before. */
  async start(): Promise<void> {
    const size = await stat(this.path).then(
      (found) => found.size,
      () => 0,
    );
    await this.follow(size);
  }

  /** Resolves when all is counted that is there. */
  read(): Promise<void> {
    const turn = this.reading.then(async () => {
      await this.follow(0);
      for (const part of this.parts) await this.readOn(part);
    });
    this.reading = turn.catch(() => undefined);
    return turn;
  }

  private async follow(at: number): Promise<void> {
    const last = this.parts.at(-1);
    const found = await stat(this.path).catch(() => null);
    if (found === null || found.ino === last?.inode) return;
    const file = await open(this.path, 'r').catch(() => null);
    if (file === null) return; // renamed meanwhile: the next one will be there
    // Asked of what was opened: it may be the next one already.
    const { ino: inode } = await file.stat();
    const former = this.parts.slice(0, -1);
    this.parts = [...(last === undefined ? [] : [last]), { file, inode, at, rest: '' }];
    for (const each of former) await each.file.close();
  }

  private async readOn(part: Part): Promise<void> {
    for (;;) {
      const { bytesRead } = await part.file.read(this.buffer, 0, CHUNK_BYTES, part.at);
      if (bytesRead === 0) return;
      part.at += bytesRead;
      const lines = (part.rest + this.buffer.toString('latin1', 0, bytesRead)).split('\n');
      part.rest = lines.pop() ?? '';
      for (const line of lines) {
        const counted = countedLine(line);
        if (counted !== null) this.count(counted);
      }
    }
  }
}
