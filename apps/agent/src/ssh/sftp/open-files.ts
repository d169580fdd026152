import { closeSync, readdirSync } from 'node:fs';
import { MAX_HANDLES, SftpError, Status } from './protocol.js';

export interface OpenFile {
  readonly kind: 'file';
  readonly fd: number;
}

export interface OpenDir {
  readonly kind: 'dir';
  readonly path: Buffer;
  /** Names not given yet. */
  readonly names: Buffer[];
}

/** What a client has open, by the handles it was given. */
export class OpenFiles {
  private readonly open = new Map<number, OpenFile | OpenDir>();
  private next = 0;

  addFile(fd: number): Buffer {
    try {
      return this.add({ kind: 'file', fd });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  addDir(path: Buffer): Buffer {
    const names = readdirSync(path, { encoding: 'buffer' });
    return this.add({ kind: 'dir', path, names: [Buffer.from('.'), Buffer.from('..'), ...names] });
  }

  file(handle: Buffer): OpenFile {
    const found = this.find(handle);
    if (found.kind !== 'file') throw new SftpError(Status.failure, 'not the handle of a file');
    return found;
  }

  dir(handle: Buffer): OpenDir {
    const found = this.find(handle);
    if (found.kind !== 'dir') throw new SftpError(Status.failure, 'not the handle of a directory');
    return found;
  }

  close(handle: Buffer): void {
    const found = this.find(handle);
    this.open.delete(handle.readUInt32BE(0));
    if (found.kind === 'file') closeSync(found.fd);
  }

  private find(handle: Buffer): OpenFile | OpenDir {
    const found = handle.length === 4 ? this.open.get(handle.readUInt32BE(0)) : undefined;
    if (found === undefined) throw new SftpError(Status.failure, 'no such handle');
    return found;
  }

  private add(entry: OpenFile | OpenDir): Buffer {
    if (this.open.size >= MAX_HANDLES) throw new SftpError(Status.failure, `more than ${MAX_HANDLES} open files`);
    const id = this.next++;
    this.open.set(id, entry);
    const handle = Buffer.allocUnsafe(4);
    handle.writeUInt32BE(id);
    return handle;
  }
}
