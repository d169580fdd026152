import { open } from 'node:fs/promises';

const TAIL_BYTES = 4096;
const MAX_CHARACTERS = 200;

/** What a crashed Node adds below the error itself. */
const BELOW_THE_ERROR = /^(\s+at |Node\.js v|[{}]?$)/;

/** The line of a dead process's output that says why it died: the last one that is neither empty nor of a stack; undefined without any. */
export async function lastWords(logPath: string): Promise<string | undefined> {
  const tail = await readTail(logPath).catch(() => '');
  const line = tail
    .split('\n')
    .filter((each) => !BELOW_THE_ERROR.test(each.trimEnd()))
    .at(-1);
  return line
    ?.replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, MAX_CHARACTERS);
}

async function readTail(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
