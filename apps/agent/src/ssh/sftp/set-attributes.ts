import * as fs from 'node:fs';
import type { WantedAttributes } from './attributes.js';

/** Applies what was named, in OpenSSH's order: a change of owner last, as it may take our right to the rest. */
export function setAttributes(path: Buffer, wanted: WantedAttributes): void {
  const { size, mode, atimeSeconds, mtimeSeconds, uid, gid } = wanted;
  if (size !== undefined) fs.truncateSync(path, size);
  if (mode !== undefined) fs.chmodSync(path, mode);
  if (atimeSeconds !== undefined && mtimeSeconds !== undefined) fs.utimesSync(path, atimeSeconds, mtimeSeconds);
  if (uid !== undefined && gid !== undefined) fs.chownSync(path, uid, gid);
}

export function setOpenFileAttributes(fd: number, wanted: WantedAttributes): void {
  const { size, mode, atimeSeconds, mtimeSeconds, uid, gid } = wanted;
  if (size !== undefined) fs.ftruncateSync(fd, size);
  if (mode !== undefined) fs.fchmodSync(fd, mode);
  if (atimeSeconds !== undefined && mtimeSeconds !== undefined) fs.futimesSync(fd, atimeSeconds, mtimeSeconds);
  if (uid !== undefined && gid !== undefined) fs.fchownSync(fd, uid, gid);
}

/** Of a link itself. Its permissions mean nothing on Linux. */
export function setLinkAttributes(path: Buffer, wanted: WantedAttributes): void {
  const { atimeSeconds, mtimeSeconds, uid, gid } = wanted;
  if (atimeSeconds !== undefined && mtimeSeconds !== undefined) fs.lutimesSync(path, atimeSeconds, mtimeSeconds);
  if (uid !== undefined && gid !== undefined) fs.lchownSync(path, uid, gid);
}
