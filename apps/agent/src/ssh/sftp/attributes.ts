import type { Stats } from 'node:fs';
import type { PacketReader } from './packet-reader.js';
import type { PacketWriter } from './packet-writer.js';

const HAS = { size: 0x1, owner: 0x2, permissions: 0x4, times: 0x8, extended: 0x80000000 } as const;

/** What a client asks a file to be; only the fields it named. */
export interface WantedAttributes {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly atimeSeconds?: number;
  readonly mtimeSeconds?: number;
}

export function readAttributes(reader: PacketReader): WantedAttributes {
  const flags = reader.uint32();
  const wanted: { -readonly [K in keyof WantedAttributes]: WantedAttributes[K] } = {};
  if (flags & HAS.size) wanted.size = reader.uint64();
  if (flags & HAS.owner) {
    wanted.uid = reader.uint32();
    wanted.gid = reader.uint32();
  }
  // Neither the file's type nor bits beyond the 12 known ones are a client's to set.
  if (flags & HAS.permissions) wanted.mode = reader.uint32() & 0o7777;
  if (flags & HAS.times) {
    wanted.atimeSeconds = reader.uint32();
    wanted.mtimeSeconds = reader.uint32();
  }
  return wanted;
}

export function writeAttributes(writer: PacketWriter, stats: Stats): PacketWriter {
  return writer
    .uint32(HAS.size | HAS.owner | HAS.permissions | HAS.times)
    .uint64(stats.size)
    .uint32(stats.uid)
    .uint32(stats.gid)
    .uint32(stats.mode)
    .uint32(Math.floor(stats.atimeMs / 1000))
    .uint32(Math.floor(stats.mtimeMs / 1000));
}
