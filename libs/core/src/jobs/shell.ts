import type { ImageKind } from './image.js';

const NAMED: ReadonlyMap<string, string> = new Map([
  ['sh', '/bin/sh'],
  ['bash', '/bin/bash'],
]);

/** Custom images may have nothing but `sh`. */
export function shellOf(shell: string | null | undefined, kind: ImageKind): string {
  if (shell) return NAMED.get(shell) ?? shell;
  return kind === 'custom' ? '/bin/sh' : '/bin/bash';
}

/** Splits an `entrypoint` as a POSIX shell would, without expanding anything; null when a quote is not closed. */
export function splitShellWords(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'" || char === '"') {
      const end = closingQuote(text, at);
      if (end === -1) return null;
      const body = text.slice(at + 1, end);
      word = (word ?? '') + (char === '"' ? body.replace(/\\(["\\$`])/g, '$1') : body);
      at = end;
    } else if (char === '\\') {
      at += 1;
      word = (word ?? '') + text.charAt(at);
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

function closingQuote(text: string, open: number): number {
  const quote = text.charAt(open);
  for (let at = open + 1; at < text.length; at += 1) {
    if (text.charAt(at) === quote) return at;
    if (quote === '"' && text.charAt(at) === '\\') at += 1;
  }
  return -1;
}
