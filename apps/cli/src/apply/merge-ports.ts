import { UsageError } from '../errors/cli-error.js';

export interface PortMapping {
  /** null: any free port. */
  readonly local_port: number | null;
  readonly container_port: number;
}

/** The ports of the file with those of the command line in their place, by container port. Pure. */
export function mergePorts(before: unknown, flags: readonly string[]): PortMapping[] {
  const merged = new Map<number, PortMapping>();
  const ports: unknown[] = Array.isArray(before) ? before : [];
  for (const port of ports) {
    const mapping = toPortMapping(port);
    merged.set(mapping.container_port, mapping);
  }
  for (const flag of flags) {
    const mapping = toPortMapping(flag);
    merged.set(mapping.container_port, mapping);
  }
  const result = [...merged.values()];
  const locals = result.map((port) => port.local_port).filter((port) => port !== null);
  const twice = locals.find((port, i) => locals.indexOf(port) !== i);
  if (twice !== undefined)
    throw new UsageError(`Local port ${twice} is used twice.`, 'Give each port its own: -p LOCAL:REMOTE');
  return result;
}

/** `8080`, `80:8080`, `*:8080`, `{local_port, container_port}`. */
export function toPortMapping(port: unknown): PortMapping {
  if (
    typeof port === 'object' &&
    port !== null &&
    'container_port' in port &&
    typeof port.container_port === 'number'
  ) {
    const local = 'local_port' in port && typeof port.local_port === 'number' ? port.local_port : null;
    return { local_port: local, container_port: port.container_port };
  }
  const match = /^(?:(\d+|\*):)?(\d+)$/.exec(String(port));
  const container = Number(match?.[2]);
  const local = match?.[1] === undefined ? container : match[1] === '*' ? null : Number(match[1]);
  if (!match || !isPort(container) || (local !== null && !isPort(local)))
    throw new UsageError(`${String(port)} is no port mapping.`, 'Write REMOTE, LOCAL:REMOTE or *:REMOTE.');
  return { local_port: local, container_port: container };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}
