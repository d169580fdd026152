import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogStream } from '@dstack/agent-protocol';

/**
 * A stream's spool is a row of append-only files, each named by the offset it begins at, holding frames as the protocol sends them.
 * All lie flat in one directory: a job that is root in its container can write there, and must find no directory to swap for a link.
 */
export interface SegmentFile {
  readonly path: string;
  readonly startOffset: number;
}

const OFFSET_DIGITS = 16;

export function segmentPath(dir: string, stream: LogStream, startOffset: number): string {
  return join(dir, `log-${stream}-${String(startOffset).padStart(OFFSET_DIGITS, '0')}.seg`);
}

export async function listSegments(dir: string, stream: LogStream): Promise<SegmentFile[]> {
  const pattern = new RegExp(`^log-${stream}-(\\d{${OFFSET_DIGITS}})\\.seg$`);
  const names = await readdir(dir).catch(() => [] as string[]);
  return names
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [{ path: join(dir, name), startOffset: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.startOffset - b.startOffset);
}

export function ackPath(dir: string, stream: LogStream): string {
  return join(dir, `log-${stream}.ack`);
}
