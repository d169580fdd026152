type Fields = Readonly<Record<string, unknown>>;

/** What may be secret: that it changed is told, never what it was or is. */
const SECRET = new Set(['env', 'registry_auth', 'ssh_key', 'headers', 'creds', 'kubeconfig', 'password']);
const MOST_CHANGES = 8;
const MOST_CHARACTERS = 80;

/** What an update changed, to follow a message: `. role: user → admin; active: true → false`; empty when it changed nothing. */
export function describeChanges(before: Fields, after: Fields): string {
  const changes = changesOf(before, after, '');
  if (changes.length === 0) return '';
  const told = changes.slice(0, MOST_CHANGES);
  const more = changes.length > told.length ? [`${changes.length - told.length} more`] : [];
  return `. ${[...told, ...more].join('; ')}`;
}

function changesOf(before: Fields, after: Fields, prefix: string): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [was, is] = [before[name], after[name]];
    const path = prefix + name;
    if (JSON.stringify(was ?? null) === JSON.stringify(is ?? null)) return [];
    if (SECRET.has(name)) return [`${path} changed`];
    if (isFields(was) && isFields(is)) return changesOf(was, is, `${path}.`);
    return [`${path}: ${shown(was)} → ${shown(is)}`];
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Secrets may lie deeper in a list or in something that was not there before. */
function show(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (key, field: unknown) => (SECRET.has(key) && field !== null ? '…' : field));
}

function shown(value: unknown): string {
  const text = show(value).replaceAll(/\s+/g, ' ');
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
