import { resolveGroupReferences, type GroupReference } from './group-references.js';

export interface NodeAddress {
  readonly group: number;
  /** Within the group. */
  readonly index: number;
  readonly ip: string;
}

export type FinishedCommands =
  { readonly ok: true; readonly argv: readonly string[] } | { readonly ok: false; readonly missing: readonly string[] };

/** The last pass over what a job runs: the addresses of its nodes, and `$${{` that was written to mean `${{`. */
export function finishCommands(argv: readonly string[], nodes: readonly NodeAddress[]): FinishedCommands {
  const missing = new Set<string>();
  const ipOf = (reference: GroupReference): string => {
    const node = nodes.find(({ group, index }) => group === reference.group && index === reference.index);
    if (!node?.ip) missing.add(reference.text);
    return node?.ip ?? '';
  };
  const finished = argv.map((word) =>
    word
      .split('$${{')
      .map((part) => resolveGroupReferences(part, ipOf) ?? part)
      .join('${{'),
  );
  return missing.size > 0 ? { ok: false, missing: [...missing] } : { ok: true, argv: finished };
}
