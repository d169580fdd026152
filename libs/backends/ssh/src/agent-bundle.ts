import type { Readable } from 'node:stream';

/** The agent's self-contained folder for one architecture, as one gzip-compressed tar. */
export interface AgentBundle {
  readonly arch: 'x86' | 'arm';
  /** SHA-256 (hex) of the folder's content; names the folder on the host, so what is there already is not sent again. */
  readonly digest: string;
  /** Of the archive. */
  readonly sizeBytes: number;
  open(): Readable;
}
