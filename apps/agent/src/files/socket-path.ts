import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** `sun_path` holds 108 bytes with its terminator. */
const MAX_SOCKET_PATH_BYTES = 107;

export interface SocketName {
  readonly path: string;
  /** Call when no bind or connect by this name can follow. A listening server unlinks by it when it closes. */
  readonly release: () => void;
}

/** A name for the socket that fits the kernel's limit: a directory too deep is reached through a descriptor of it. */
export function nameSocket(path: string): SocketName {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => undefined };
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${directory}/${basename(path)}`,
    release: () => {
      closeSync(directory);
    },
  };
}
