import type { Stats } from 'node:fs';
import { writeAttributes } from './attributes.js';
import { PacketWriter } from './packet-writer.js';
import { PacketType, type StatusCode } from './protocol.js';

export function statusReply(id: number, status: StatusCode, message = ''): Buffer {
  return new PacketWriter(PacketType.status).uint32(id).uint32(status).string(message).string('').finish();
}

export function nameReply(id: number, name: Buffer): Buffer {
  return new PacketWriter(PacketType.name).uint32(id).uint32(1).string(name).string(name).uint32(0).finish();
}

export function handleReply(id: number, handle: Buffer): Buffer {
  return new PacketWriter(PacketType.handle).uint32(id).string(handle).finish();
}

export function attributesReply(id: number, stats: Stats): Buffer {
  return writeAttributes(new PacketWriter(PacketType.attrs).uint32(id), stats).finish();
}
