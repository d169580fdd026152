/** Keys that are let through the host's loopback to the port of one job. */
export interface Door {
  readonly keys: readonly string[];
  readonly port: number;
}

export interface LineRules {
  /** Older servers refuse a key whose options they do not know. */
  readonly canLimitListening: boolean;
}

const KEY = /^([a-z0-9-]+(?:@[a-z0-9.-]+)?) ([A-Za-z0-9+/]+={0,2})(?: [^\n\r\0]*)?$/;

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
 * The content of an `authorized_keys` with these doors and nothing else.
 * A server takes the first line with a key and looks at no other, so all doors of a key are in one line.
 */
export function doorLines(doors: Iterable<Door>, { canLimitListening: limitsListening }: LineRules): string {
  const portsByKey = new Map<string, Set<number>>();
  for (const { keys, port } of doors) {
    for (const key of keys.flatMap((text) => plainKey(text) ?? [])) {
      portsByKey.set(key, (portsByKey.get(key) ?? new Set()).add(port));
    }
  }
  return [...portsByKey].map(([key, ports]) => `${options([...ports], limitsListening)} ${key}\n`).join('');
}

function options(ports: readonly number[], limitsListening: boolean): string {
  return [
    'restrict',
    'port-forwarding',
    // `restrict` alone leaves commands to a key.
    'command="exit 1"',
    ...ports.flatMap((port) => [`permitopen="localhost:${port}"`, `permitopen="127.0.0.1:${port}"`]),
    // `none` is no value of this option; nobody of ours ever listens there.
    ...(limitsListening ? ['permitlisten="127.0.0.1:1"'] : []),
  ].join(',');
}

/** From what `ssh -V` says: its server has the same version, and knows `permitlisten` since 7.8. */
export function canLimitListening(version: string): boolean {
  const [, major, minor] = /OpenSSH_(?:for_\w+_)?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 8);
}
