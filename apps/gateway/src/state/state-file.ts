import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type GatewayAccess, type GatewayState, parseGatewayState } from '@dstack/gateway-protocol';
import { writeFileAtomically } from '../files/write-file-atomically.js';

/** What the server said last, kept over restarts: readable by nobody else, as it holds keys. */
export class StateFile {
  private readonly path: string;
  private readonly heardPath: string;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly directory: string) {
    this.path = join(directory, 'state.json');
    this.heardPath = join(directory, 'heard-at');
  }

  /** Null: there is none, or none that this version understands. */
  async read(): Promise<GatewayState | null> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const text = await readFile(this.path, 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      return parseGatewayState(JSON.parse(text));
    } catch (error) {
      process.stderr.write(`${this.path} is passed over: ${error instanceof Error ? error.message : String(error)}\n`);
      return null;
    }
  }

  /** Unix ms; 0: never. */
  async readHeardAt(): Promise<number> {
    const text = await readFile(this.heardPath, 'utf8').catch(() => '');
    const written = await stat(this.path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    return Math.max(Number(text) || 0, Math.floor(written));
  }

  /** Resolves when it is on the disk. */
  write(state: GatewayState, access: GatewayAccess): Promise<void> {
    return this.inTurn(() => writeFileAtomically(this.path, JSON.stringify({ ...state, access })));
  }

  writeHeardAt(at: number): Promise<void> {
    return this.inTurn(() => writeFileAtomically(this.heardPath, String(at)));
  }

  private inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.writing.then(write);
    this.writing = turn.catch(() => undefined);
    return turn;
  }
}
