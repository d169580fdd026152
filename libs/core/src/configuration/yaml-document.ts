import {
  type Document,
  Lexer,
  LineCounter,
  type YAMLError,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';
import type { IssuePath } from './issue.js';
import { SourcedNumber } from './schema/sourced-number.js';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends Partial<Position> {
  readonly message: string;
}

export interface YamlDocument {
  readonly value: unknown;
  readonly source: string;
  /** Where the value at a path is written, or its nearest parent when it is not (a default, a merge). */
  positionOf(path: IssuePath, at?: 'value' | 'key'): Position;
}

export type YamlResult =
  | { readonly ok: true; readonly document: YamlDocument }
  | { readonly ok: false; readonly source: string; readonly problems: readonly YamlProblem[] };

/** Configurations are a page or two; these limits keep a hostile file from costing more than one. */
export const maxBytes = 1024 * 1024;
const maxTokens = 20_000;
/** One slip in the syntax makes many errors: the first ones tell. */
const maxSyntaxProblems = 3;
const maxDepth = 64;
const maxAliases = 100;
const tooDeep = `is nested more than ${maxDepth} levels deep`;

export function readYaml(input: Uint8Array | string): YamlResult {
  const size = input.length;
  if (size > maxBytes) return failed('', { message: `the file is larger than ${maxBytes / 1024} KiB` });
  const source = typeof input === 'string' ? input : decode(input);
  if (source === undefined) return failed('', { message: 'the file is not UTF-8 text' });
  const excess = findExcess(source);
  if (excess !== undefined) return failed(source, { message: excess });
  try {
    return compose(source.replace(/^\uFEFF/, ''));
  } catch (error) {
    // The parser recurses into nested collections, and refuses aliases that would multiply.
    if (error instanceof RangeError) return failed(source, { message: tooDeep });
    if (error instanceof ReferenceError) return failed(source, { message: 'has too many aliases' });
    if (error instanceof Error) return failed(source, { message: `cannot be read as YAML: ${error.message}` });
    throw error;
  }
}

function compose(source: string): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    merge: true,
    resolveKnownTags: false, // the values of !!set, !!omap and !!binary are none of the language
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: YamlProblem[] = [...document.errors, ...document.warnings]
    .slice(0, maxSyntaxProblems)
    .map((problem) => ({ message: explain(problem), ...at(problem.pos[0]) }));
  if (problems.length === 0) problems.push(...inspect(document, at));
  if (problems.length > 0) return { ok: false, source, problems };
  return {
    ok: true,
    document: {
      value: document.toJS({ maxAliasCount: maxAliases }) as unknown,
      source,
      positionOf: (path, end = 'value') => locate(document, path, end, at),
    },
  };
}

/** Limits, and what the parser lets pass; keeps the text of numbers that say more than their value. */
function inspect(document: Document, at: (offset: number) => Position): YamlProblem[] {
  const problems: YamlProblem[] = [];
  let aliases = 0;
  visit(document, (key, node, path) => {
    if (isAlias(node)) aliases++;
    const depth = path.filter((parent) => isMap(parent) || isSeq(parent)).length;
    if (depth > maxDepth) problems.push({ message: tooDeep });
    else if (aliases > maxAliases) problems.push({ message: `has more than ${maxAliases} aliases` });
    else {
      if (isMap(node)) problems.push(...duplicateKeys(node.items, at));
      if (
        isScalar(node) &&
        key === 'value' &&
        typeof node.value === 'number' &&
        node.source !== undefined &&
        node.source !== String(node.value)
      ) {
        node.value = new SourcedNumber(node.value, node.source);
      } else if (
        isScalar(node) &&
        typeof key === 'number' &&
        typeof node.value === 'number' &&
        node.source !== undefined &&
        node.source !== String(node.value)
      ) {
        node.value = new SourcedNumber(node.value, node.source);
      }
      return undefined;
    }
    return visit.BREAK;
  });
  return problems;
}

function duplicateKeys(pairs: readonly unknown[], at: (offset: number) => Position): YamlProblem[] {
  const seen = new Map<string, number>();
  return pairs.flatMap((pair): YamlProblem[] => {
    if (!isPair(pair)) return [];
    const offset = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    if (isMap(pair.key) || isSeq(pair.key)) return [{ message: 'a key must be text', ...at(offset) }];
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const first = seen.get(key);
    if (first === undefined || key === '<<') {
      seen.set(key, offset);
      return [];
    }
    return [
      { message: `the key "${key.slice(0, 60)}" is given twice, first on line ${at(first).line}`, ...at(offset) },
    ];
  });
}

function locate(document: Document, path: IssuePath, end: 'value' | 'key', at: (offset: number) => Position): Position {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(
        (candidate) => isScalar(candidate.key) && String(candidate.key.value) === String(part),
      );
      if (pair === undefined) break;
      const takesKey = end === 'key' && depth === path.length - 1;
      const valueIsWritten =
        isNode(pair.value) &&
        pair.value.range !== undefined &&
        pair.value.range !== null &&
        pair.value.range[1] > pair.value.range[0];
      next = takesKey || !valueIsWritten ? pair.key : pair.value;
      if (!takesKey && valueIsWritten) node = pair.value;
      else node = undefined;
    } else if (isSeq(node)) {
      next = node.items[typeof part === 'number' || /^\d+$/.test(part) ? Number(part) : lineOf(node.items, part)];
      node = next;
    }
    if (!isNode(next)) break;
    offset = next.range?.[0] ?? offset;
  }
  return at(offset);
}

/** The `KEY` or `KEY=value` of a list that becomes a mapping. */
function lineOf(items: readonly unknown[], key: string): number {
  return items.findIndex((item) => isScalar(item) && String(item.value).split('=')[0] === key);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The parser would recurse for each level and keep an error for each token: what is far beyond a configuration is not given to it. */
function findExcess(source: string): string | undefined {
  let tokens = 0;
  let depth = 0;
  let startsLine = true;
  const indents: number[] = [];
  for (const token of new Lexer().lex(source)) {
    if (++tokens > maxTokens) return 'is too long for a configuration';
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (startsLine) {
      const indent = /^ *$/.test(token) ? token.length : 0;
      while ((indents.at(-1) ?? -1) >= indent) indents.pop();
      indents.push(indent);
    }
    startsLine = token === '\n' || token === '\r\n';
    if (depth > maxDepth || indents.length > maxDepth) return tooDeep;
  }
  return undefined;
}

function explain({ code, message }: YAMLError): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'the file has several documents: keep one';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return `${message} (quote a value that contains ": " or ends with ":")`;
    case 'UNEXPECTED_TOKEN':
      return message.startsWith('Unexpected flow-map-start')
        ? `${message} (quote a value with \${{ }} inside { } or [ ])`
        : message;
    case 'RESOURCE_EXHAUSTION':
      return tooDeep;
    default:
      return message;
  }
}

const failed = (source: string, problem: YamlProblem): YamlResult => ({ ok: false, source, problems: [problem] });
