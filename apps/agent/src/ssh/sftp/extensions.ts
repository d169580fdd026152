import * as fs from 'node:fs';
import { readAttributes } from './attributes.js';
import type { OpenFiles } from './open-files.js';
import type { PacketReader } from './packet-reader.js';
import { PacketWriter } from './packet-writer.js';
import { MAX_DATA_BYTES, MAX_HANDLES, MAX_PACKET_BYTES, PacketType, SftpError, Status } from './protocol.js';
import { expandPath } from './real-path.js';
import { nameReply, statusReply } from './replies.js';
import { setLinkAttributes } from './set-attributes.js';

/** What OpenSSH's sftp and scp use beyond version 3, with the version of each. */
export const EXTENSIONS: readonly (readonly [string, string])[] = [
  ['posix-rename@openssh.com', '1'],
  ['hardlink@openssh.com', '1'],
  ['fsync@openssh.com', '1'],
  ['statvfs@openssh.com', '2'],
  ['lsetstat@openssh.com', '1'],
  ['limits@openssh.com', '1'],
  ['expand-path@openssh.com', '1'],
];

export function answerExtension(id: number, reader: PacketReader, files: OpenFiles, home: string): Buffer {
  const name = reader.text();
  switch (name) {
    case 'posix-rename@openssh.com':
      fs.renameSync(reader.string(), reader.string());
      return statusReply(id, Status.ok);
    case 'hardlink@openssh.com':
      fs.linkSync(reader.string(), reader.string());
      return statusReply(id, Status.ok);
    case 'fsync@openssh.com':
      fs.fsyncSync(files.file(reader.string()).fd);
      return statusReply(id, Status.ok);
    case 'statvfs@openssh.com':
      return fileSystem(id, fs.statfsSync(reader.string(), { bigint: true }));
    case 'lsetstat@openssh.com':
      setLinkAttributes(reader.string(), readAttributes(reader));
      return statusReply(id, Status.ok);
    case 'limits@openssh.com':
      return new PacketWriter(PacketType.extendedReply)
        .uint32(id)
        .uint64(MAX_PACKET_BYTES)
        .uint64(MAX_DATA_BYTES)
        .uint64(MAX_DATA_BYTES)
        .uint64(MAX_HANDLES)
        .finish();
    case 'expand-path@openssh.com':
      return nameReply(id, expandPath(reader.string(), home));
    default:
      throw new SftpError(Status.unsupported, `${name} is not supported`);
  }
}

const LONGEST_NAME = 255;

function fileSystem(id: number, stats: fs.BigIntStatsFs): Buffer {
  return new PacketWriter(PacketType.extendedReply)
    .uint32(id)
    .uint64(stats.bsize)
    .uint64(stats.bsize)
    .uint64(stats.blocks)
    .uint64(stats.bfree)
    .uint64(stats.bavail)
    .uint64(stats.files)
    .uint64(stats.ffree)
    .uint64(stats.ffree)
    .uint64(0)
    .uint64(0)
    .uint64(LONGEST_NAME)
    .finish();
}
