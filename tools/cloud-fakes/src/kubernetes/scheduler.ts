import type { FakeNode } from './nodes.js';
import type { PodSpec } from './pod-spec.js';
import { parseAmount } from './amounts.js';

type Amounts = Readonly<Record<string, number>>;

/** Where the pod goes, or why it cannot go anywhere, in the scheduler's words. */
export function schedule(
  spec: PodSpec,
  nodes: readonly FakeNode[],
  used: (node: string) => Amounts,
): { readonly node: string } | { readonly message: string } {
  const reasons = new Map<string, number>();
  for (const node of nodes) {
    const why = whyNot(spec, node, used(node.name));
    if (why === null) return { node: node.name };
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  const told = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ');
  return { message: `0/${nodes.length} nodes are available: ${told}.` };
}

export function requestsOf({ containers }: PodSpec): Amounts {
  const total: Record<string, number> = {};
  for (const { resources } of containers)
    for (const [name, text] of Object.entries(resources?.requests ?? {}))
      total[name] = (total[name] ?? 0) + parseAmount(text);
  return total;
}

function whyNot(spec: PodSpec, node: FakeNode, used: Amounts): string | null {
  if (node.unschedulable) return 'node(s) were unschedulable';
  const intolerable = (node.taints ?? []).find(({ key, effect }) => {
    const tolerated = spec.tolerations?.some((one) => one.key === key && (one.effect ?? effect) === effect);
    return effect !== 'PreferNoSchedule' && !tolerated;
  });
  if (intolerable !== undefined) return `node(s) had untolerated taint {${intolerable.key}: }`;
  if (!matchesAffinity(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  for (const [resource, amount] of Object.entries(requestsOf(spec)))
    if (amount + (used[resource] ?? 0) > parseAmount(node.allocatable[resource] ?? '0'))
      return `Insufficient ${resource}`;
  return null;
}

function matchesAffinity({ affinity }: PodSpec, { labels }: FakeNode): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some(({ matchExpressions = [] }) =>
    matchExpressions.every(({ key, operator, values = [] }) =>
      operator === 'In' ? values.includes(labels[key] ?? '') : operator === 'Exists' && key in labels,
    ),
  );
}
