/** SFTP version 3 (draft-ietf-secsh-filexfer-02) and OpenSSH's extensions to it. */
export const PacketType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

export const Status = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

export type StatusCode = (typeof Status)[keyof typeof Status];

export const OpenFlag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

export const MAX_PACKET_BYTES = 256 * 1024;
export const MAX_DATA_BYTES = MAX_PACKET_BYTES - 1024;
export const MAX_HANDLES = 1000;

/** A failure with the status that tells the client of it. */
export class SftpError extends Error {
  override readonly name = 'SftpError';
  constructor(
    readonly status: StatusCode,
    message: string,
  ) {
    super(message);
  }
}
