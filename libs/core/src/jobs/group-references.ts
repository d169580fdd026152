/** `${{ groups[0].nodes[1].IP_ADDRESS }}` in the commands of a task, `.replicas[j]` in those of a service. */
export interface GroupReference {
  readonly text: string;
  readonly group: number;
  readonly member: 'nodes' | 'replicas';
  readonly index: number;
}

const REFERENCE = /^groups\[(\d+)\]\.(nodes|replicas)\[(\d+)\]\.IP_ADDRESS$/;
const EXPRESSION = /\$\{\{\s*(groups\b[^}]*?)\s*\}\}/g;

/** All of a text, and the expressions that start like one but are none. */
export function findGroupReferences(text: string): { references: GroupReference[]; malformed: string[] } {
  const references: GroupReference[] = [];
  const malformed: string[] = [];
  for (const [whole, inside = ''] of text.matchAll(EXPRESSION)) {
    const reference = parse(whole, inside);
    if (reference === null) malformed.push(whole);
    else references.push(reference);
  }
  return { references, malformed };
}

/** Null while an address is not known yet: the job waits. */
export function resolveGroupReferences(
  text: string,
  ipOf: (reference: GroupReference) => string | null,
): string | null {
  let waiting = false;
  const resolved = text.replace(EXPRESSION, (whole, inside: string) => {
    const reference = parse(whole, inside);
    const ip = reference === null ? whole : ipOf(reference);
    if (ip === null) waiting = true;
    return ip ?? '';
  });
  return waiting ? null : resolved;
}

function parse(text: string, inside: string): GroupReference | null {
  const match = REFERENCE.exec(inside);
  if (match === null) return null;
  return {
    text,
    group: Number(match[1]),
    member: match[2] === 'nodes' ? 'nodes' : 'replicas',
    index: Number(match[3]),
  };
}
