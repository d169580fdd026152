import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LogStream } from '@dstack/agent-protocol';
import { FRAME_HEADER_BYTES, MAX_FRAME_PAYLOAD_BYTES, scanFrames } from './frame-scan.js';
import { listSegments } from './segment-files.js';

export interface SpoolEnd {
  readonly offset: number;
  /** Where the last segment's valid bytes end; what follows was cut short by a crash. */
  readonly segment?: { readonly path: string; readonly startOffset: number; readonly validBytes: number };
}

/** Where a stream's spool ends on disk, whoever wrote it and however it died. */
export async function findSpoolEnd(dir: string, stream: LogStream): Promise<SpoolEnd> {
  const last = (await listSegments(dir, stream)).at(-1);
  if (last === undefined) return { offset: 0 };
  const file = await open(last.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(2 * (FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES));
    let validBytes = 0;
    let offset = last.startOffset;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, validBytes);
      const scan = scanFrames(buffer.subarray(0, bytesRead), offset);
      validBytes += scan.usedBytes;
      offset = scan.offset;
      if (scan.usedBytes === 0) return { offset, segment: { ...last, validBytes } };
    }
  } finally {
    await file.close();
  }
}
