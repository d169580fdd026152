import * as fs from 'node:fs';
import { readAttributes, writeAttributes } from './attributes.js';
import { answerExtension, EXTENSIONS } from './extensions.js';
import { longName } from './long-name.js';
import { OpenFiles } from './open-files.js';
import { PacketReader } from './packet-reader.js';
import { PacketWriter } from './packet-writer.js';
import { MAX_DATA_BYTES, OpenFlag, PacketType, SftpError, Status } from './protocol.js';
import { realPath } from './real-path.js';
import { attributesReply, handleReply, nameReply, statusReply } from './replies.js';
import { setAttributes, setOpenFileAttributes } from './set-attributes.js';
import { statusOf } from './status-of.js';

const NAMES_AT_ONCE = 100;

/**
 * One client's SFTP, one packet at a time. It blocks on the disk, which is why it has a process of its own; with the job
 * user's rights, so that the kernel decides what is allowed.
 */
export class SftpSession {
  private readonly files = new OpenFiles();

  constructor(
    private readonly home: string,
    private readonly now: () => number,
  ) {}

  answer(packet: Buffer): Buffer {
    const reader = new PacketReader(packet);
    const type = reader.byte();
    if (type === PacketType.init) return version();
    const id = reader.uint32();
    try {
      return this.request(type, id, reader);
    } catch (error) {
      const { status, message } = statusOf(error);
      return statusReply(id, status, message);
    }
  }

  private request(type: number, id: number, reader: PacketReader): Buffer {
    switch (type) {
      case PacketType.open:
        return this.open(id, reader);
      case PacketType.close:
        this.files.close(reader.string());
        return statusReply(id, Status.ok);
      case PacketType.read:
        return this.read(id, reader);
      case PacketType.write:
        return this.write(id, reader);
      case PacketType.lstat:
        return attributesReply(id, fs.lstatSync(path(reader)));
      case PacketType.stat:
        return attributesReply(id, fs.statSync(path(reader)));
      case PacketType.fstat:
        return attributesReply(id, fs.fstatSync(this.files.file(reader.string()).fd));
      case PacketType.setstat:
        setAttributes(path(reader), readAttributes(reader));
        return statusReply(id, Status.ok);
      case PacketType.fsetstat:
        setOpenFileAttributes(this.files.file(reader.string()).fd, readAttributes(reader));
        return statusReply(id, Status.ok);
      case PacketType.opendir:
        return handleReply(id, this.files.addDir(path(reader)));
      case PacketType.readdir:
        return this.readDir(id, reader);
      case PacketType.remove:
        fs.unlinkSync(path(reader));
        return statusReply(id, Status.ok);
      case PacketType.mkdir: {
        const dir = path(reader);
        fs.mkdirSync(dir, { mode: readAttributes(reader).mode ?? 0o777 });
        return statusReply(id, Status.ok);
      }
      case PacketType.rmdir:
        fs.rmdirSync(path(reader));
        return statusReply(id, Status.ok);
      case PacketType.realpath:
        return nameReply(id, realPath(reader.string()));
      case PacketType.rename:
        rename(path(reader), path(reader));
        return statusReply(id, Status.ok);
      case PacketType.readlink:
        return nameReply(id, fs.readlinkSync(path(reader), { encoding: 'buffer' }));
      case PacketType.symlink:
        // OpenSSH has always sent the target first, against the draft, and everyone followed.
        fs.symlinkSync(path(reader), path(reader));
        return statusReply(id, Status.ok);
      case PacketType.extended:
        return answerExtension(id, reader, this.files, this.home);
      default:
        throw new SftpError(Status.unsupported, `request ${type} is not supported`);
    }
  }

  private open(id: number, reader: PacketReader): Buffer {
    const file = path(reader);
    const flags = systemFlags(reader.uint32());
    const { mode } = readAttributes(reader);
    return handleReply(id, this.files.addFile(fs.openSync(file, flags, mode ?? 0o666)));
  }

  private read(id: number, reader: PacketReader): Buffer {
    const { fd } = this.files.file(reader.string());
    const offset = reader.uint64();
    const bytes = Buffer.allocUnsafe(Math.min(reader.uint32(), MAX_DATA_BYTES));
    const count = fs.readSync(fd, bytes, 0, bytes.length, offset);
    if (count === 0) return statusReply(id, Status.eof);
    return new PacketWriter(PacketType.data).uint32(id).string(bytes.subarray(0, count)).finish();
  }

  private write(id: number, reader: PacketReader): Buffer {
    const { fd } = this.files.file(reader.string());
    const offset = reader.uint64();
    const bytes = reader.string();
    for (let done = 0; done < bytes.length;) {
      done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
    }
    return statusReply(id, Status.ok);
  }

  private readDir(id: number, reader: PacketReader): Buffer {
    const dir = this.files.dir(reader.string());
    const entries: [Buffer, fs.Stats][] = [];
    while (entries.length < NAMES_AT_ONCE) {
      const name = dir.names.shift();
      if (name === undefined) break;
      // A file removed since has no place in the list.
      const stats = fs.lstatSync(Buffer.concat([dir.path, Buffer.from('/'), name]), { throwIfNoEntry: false });
      if (stats !== undefined) entries.push([name, stats]);
    }
    if (entries.length === 0) return statusReply(id, Status.eof);
    const reply = new PacketWriter(PacketType.name).uint32(id).uint32(entries.length);
    for (const [name, stats] of entries) {
      reply.string(name).string(longName(name.toString(), stats, this.now()));
      writeAttributes(reply, stats);
    }
    return reply.finish();
  }
}

function version(): Buffer {
  const reply = new PacketWriter(PacketType.version).uint32(3);
  for (const [name, value] of EXTENSIONS) reply.string(name).string(value);
  return reply.finish();
}

function path(reader: PacketReader): Buffer {
  const bytes = reader.string();
  return bytes.length === 0 ? Buffer.from('.') : bytes;
}

/** SFTP's own rename never replaces a file; OpenSSH's extension does. */
function rename(from: Buffer, to: Buffer): void {
  if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined)
    throw new SftpError(Status.failure, 'the target exists');
  fs.renameSync(from, to);
}

function systemFlags(asked: number): number {
  const has = (flag: number): boolean => (asked & flag) !== 0;
  const { constants } = fs;
  const access =
    has(OpenFlag.read) && has(OpenFlag.write)
      ? constants.O_RDWR
      : has(OpenFlag.write)
        ? constants.O_WRONLY
        : constants.O_RDONLY;
  return (
    access |
    (has(OpenFlag.append) ? constants.O_APPEND : 0) |
    (has(OpenFlag.create) ? constants.O_CREAT : 0) |
    (has(OpenFlag.truncate) ? constants.O_TRUNC : 0) |
    (has(OpenFlag.exclusive) ? constants.O_EXCL : 0)
  );
}
