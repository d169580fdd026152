/** A port of the host's loopback that a key is let through to, for one job of one agent. */
export interface Door {
  readonly jobId: string;
  readonly agentId: string;
  readonly port: number;
}

export interface LineRules {
  /** Older servers refuse a key whose options they do not know. */
  readonly canLimitListening: boolean;
}

const KEY = /^([a-z0-9-]+(?:@[a-z0-9.-]+)?) ([A-Za-z0-9+/]+={0,2})(?: [^\n\r\0]*)?$/;
const DOOR = /^dstack-job-([A-Za-z0-9_-]+)=(\d+)@([A-Za-z0-9_-]+)$/;
const REFUSAL = `command="echo 'this key leads through this host to jobs of dstack, and to nothing else' >&2; exit 1"`;

/** Type and blob of a public key, without its comment; undefined for what is not exactly one key without options. */
export function plainKey(text: string): string | undefined {
  const match = KEY.exec(text.trim());
  const [, type = '', blob = ''] = match ?? [];
  const bytes = Buffer.from(blob, 'base64');
  if (match === null || bytes.length < 4) return undefined;
  const nameEnd = 4 + bytes.readUInt32BE(0);
  return bytes.toString('latin1', 4, nameEnd) === type && bytes.length > nameEnd ? `${type} ${blob}` : undefined;
}

/**
 * A server takes the first line with a key and looks at no other, so all doors of a key are in one line, those of other agents too. What is
 * not such a line stays as it is, byte for byte.
 * @param content of an `authorized_keys`, in `latin1`, in which each byte is one character
 */
export function changeDoors(
  content: string,
  rules: LineRules,
  change: { readonly isKept: (door: Door) => boolean; readonly keys?: readonly string[]; readonly door?: Door },
): string {
  const { door } = change;
  const wanted = new Set(door === undefined ? [] : (change.keys ?? []).flatMap((key) => plainKey(key) ?? []));
  const changed = content.split(/(?<=\n)/).flatMap((line) => {
    const known = parseLine(line);
    if (known === undefined) return [line];
    const kept = known.doors.filter(change.isKept);
    const doors = door !== undefined && wanted.delete(known.key) ? [...kept, door] : kept;
    return doors.length === 0 ? [] : [doorLine(known.key, doors, rules)];
  });
  const text = changed.join('');
  if (door === undefined || wanted.size === 0) return text;
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  return text + separator + [...wanted].map((key) => doorLine(key, [door], rules)).join('');
}

function doorLine(key: string, doors: readonly Door[], rules: LineRules): string {
  const ports = [...new Set(doors.map(({ port }) => port))];
  const options = [
    'restrict',
    'port-forwarding',
    // `restrict` alone leaves commands to a key.
    REFUSAL,
    ...ports.flatMap((port) => [`permitopen="localhost:${port}"`, `permitopen="127.0.0.1:${port}"`]),
    // `none` is no value of this option; nobody of ours ever listens there.
    ...(rules.canLimitListening ? ['permitlisten="127.0.0.1:1"'] : []),
  ].join(',');
  const comment = doors.map(({ jobId, port, agentId }) => `dstack-job-${jobId}=${port}@${agentId}`).join(' ');
  return `${options} ${key} ${comment}\n`;
}

function parseLine(line: string): { readonly key: string; readonly doors: readonly Door[] } | undefined {
  const start = line.indexOf(' dstack-job-');
  if (start < 0) return undefined;
  const matches = line
    .slice(start + 1)
    .trimEnd()
    .split(' ')
    .map((text) => DOOR.exec(text));
  const doors = matches.flatMap((match) => {
    const [, jobId, port, agentId] = match ?? [];
    return jobId === undefined || agentId === undefined ? [] : [{ jobId, port: Number(port), agentId }];
  });
  const key = plainKey(line.slice(0, start).split(' ').slice(-2).join(' '));
  return key === undefined || doors.length < matches.length ? undefined : { key, doors };
}

/** From what `ssh -V` says: its server has the same version, and knows `permitlisten` since 7.8. */
export function canLimitListening(version: string): boolean {
  const [, major, minor] = /OpenSSH_(?:for_\w+_)?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 8);
}
