export interface Reference {
  /** The text between the braces, trimmed. */
  readonly name: string;
  readonly namespace: string;
}

export interface Interpolation {
  /** What each name stands for, by namespace: `{ env: { HOME: '/root' } }`. */
  readonly values: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Namespaces that somebody else resolves later; their references stay as written. */
  readonly passThrough?: readonly string[];
  /** What `$${{` becomes: `final` in the last pass, `keep` when another pass follows. */
  readonly escapes?: 'final' | 'keep';
}

export type Interpolated =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: readonly string[]; readonly problems: readonly string[] };

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'escape' }
  | { readonly kind: 'reference'; readonly raw: string; readonly name: string }
  | { readonly kind: 'unclosed'; readonly raw: string };

const namePattern = /^([a-zA-Z_][a-zA-Z0-9_]*)\.([a-zA-Z_][a-zA-Z0-9_]*)$/;

/**
 * Replaces `${{ namespace.name }}`. `$${{ x }}` prints `${{ x }}`; any other `$`, single or doubled, is left alone,
 * so that `echo $HOME $$` means in a command what it means in the shell.
 */
export function interpolate(
  text: string,
  { values, passThrough = [], escapes = 'final' }: Interpolation,
): Interpolated {
  const missing = new Set<string>();
  const problems: string[] = [];
  let result = '';
  for (const piece of pieces(text)) {
    if (piece.kind === 'text') result += piece.text;
    else if (piece.kind === 'escape') result += escapes === 'keep' ? '$${{' : '${{';
    else if (piece.kind === 'unclosed') problems.push(unclosed(piece.raw));
    else if (passThrough.includes(namespaceOf(piece.name))) result += piece.raw;
    else {
      const [, namespace = '', key = ''] = namePattern.exec(piece.name) ?? [];
      const known = Object.hasOwn(values, namespace) ? values[namespace] : undefined;
      if (key === '') problems.push(`invalid reference ${piece.raw}: expected \${{ namespace.name }}`);
      else if (known === undefined)
        problems.push(
          `unknown namespace in ${piece.raw}: expected ${[...Object.keys(values), ...passThrough].join(', ') || 'none'}`,
        );
      else if (Object.hasOwn(known, key)) result += known[key] ?? '';
      else missing.add(piece.name);
    }
  }
  return missing.size > 0 || problems.length > 0
    ? { ok: false, missing: [...missing].sort(), problems }
    : { ok: true, text: result };
}

/** The references a text makes. `allowed`: full names (`run.project_name`) or namespaces (`secrets`) that may stand there. */
export function findReferences(
  text: string,
  allowed?: readonly string[],
): { readonly references: readonly Reference[]; readonly problems: readonly string[] } {
  const references: Reference[] = [];
  const problems: string[] = [];
  for (const piece of pieces(text)) {
    if (piece.kind === 'unclosed') problems.push(unclosed(piece.raw));
    if (piece.kind !== 'reference') continue;
    const namespace = namespaceOf(piece.name);
    references.push({ name: piece.name, namespace });
    if (allowed !== undefined && !allowed.includes(piece.name) && !allowed.includes(namespace))
      problems.push(`unknown reference ${piece.raw}: expected ${allowed.join(', ')}`);
  }
  return { references, problems };
}

function* pieces(text: string): Generator<Piece> {
  let from = 0;
  for (;;) {
    const open = text.indexOf('${{', from);
    if (open === -1) break;
    if (open > from && text[open - 1] === '$') {
      yield { kind: 'text', text: text.slice(from, open - 1) };
      yield { kind: 'escape' };
      from = open + 3;
      continue;
    }
    yield { kind: 'text', text: text.slice(from, open) };
    const close = text.indexOf('}}', open + 3);
    if (close === -1) {
      yield { kind: 'unclosed', raw: text.slice(open, open + 40) };
      return;
    }
    yield { kind: 'reference', raw: text.slice(open, close + 2), name: text.slice(open + 3, close).trim() };
    from = close + 2;
  }
  yield { kind: 'text', text: text.slice(from) };
}

/** `groups[0].nodes[1].IP_ADDRESS` is of the namespace `groups`. */
function namespaceOf(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*/.exec(name)?.[0] ?? '';
}

const unclosed = (raw: string): string => `"${raw}" is not closed: expected }}`;
