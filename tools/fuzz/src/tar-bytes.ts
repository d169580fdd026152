/** One entry as it is written, however wrong. */
export interface TarEntry {
  readonly name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` pipe, `x` PAX, `L` long name … */
  readonly type: string;
  readonly link?: string;
  readonly content?: string;
  /** What the header says, when not the truth. */
  readonly size?: number;
  readonly mode?: number;
}

const BLOCK = 512;

export function tarBytes(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBytes), Buffer.alloc(2 * BLOCK)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${rest}`;
}

function entryBytes({ name, type, link = '', content = '', size, mode = 0o644 }: TarEntry): Buffer[] {
  const data = Buffer.from(content, 'latin1');
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string =>
    value
      .toString(8)
      .padStart(width - 1, '0')
      .slice(-(width - 1));
  header.write(name, 0, 100, 'utf8');
  header.write(octal(mode, 8), 100, 8, 'latin1');
  header.write(octal(0, 8), 108, 8, 'latin1');
  header.write(octal(0, 8), 116, 8, 'latin1');
  header.write(octal(size ?? data.length, 12), 124, 12, 'latin1');
  header.write(octal(0, 12), 136, 12, 'latin1');
  header.write(type, 156, 1, 'latin1');
  header.write(link, 157, 100, 'utf8');
  header.write('ustar\u000000', 257, 8, 'latin1');
  header.write('        ', 148, 8, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)}\u0000 `, 148, 8, 'latin1');
  return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}
