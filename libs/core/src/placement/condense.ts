import type { Obstacle, ObstacleKind, ObstacleNoun, Relief, SomeNames } from './explanation.js';

/** What speaks against one thing. */
export interface Finding {
  readonly kind: ObstacleKind;
  readonly about: { readonly noun: ObstacleNoun; readonly name: string } | null;
  readonly because: string;
}

/** A run, and one instance that it is on. */
export interface Holding {
  readonly runName: string;
  readonly userName: string;
  readonly instanceName: string;
}

const NAMES_KEPT = 3;
/** A fleet of a thousand hosts must not make a row of a thousand reasons. */
const GROUPS_KEPT = 50;

/** What has the same trouble is told together. */
export function condenseFindings(findings: readonly Finding[]): Obstacle[] {
  const groups = Map.groupBy(findings, ({ kind, about, because }) => `${kind} ${about?.noun ?? ''} ${because}`);
  return [...groups.values()].slice(0, GROUPS_KEPT).flatMap((group): Obstacle[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { kind, because, about } = first;
    if (about === null) return [{ kind, about, because }];
    const names = group.flatMap((each) => (each.about === null ? [] : [each.about.name]));
    return [{ kind, because, about: { noun: about.noun, names: someOf(names) } }];
  });
}

export function condenseHoldings(holdings: readonly Holding[]): Relief[] {
  const byRun = Map.groupBy(holdings, ({ runName }) => runName);
  return [...byRun].slice(0, GROUPS_KEPT).map(([runName, group]) => ({
    runName,
    userName: group[0]?.userName ?? '',
    instances: someOf(group.map(({ instanceName }) => instanceName)),
  }));
}

function someOf(names: readonly string[]): SomeNames {
  const distinct = [...new Set(names)];
  const kept = distinct.length <= NAMES_KEPT + 1 ? distinct : distinct.slice(0, NAMES_KEPT);
  return { first: kept, count: distinct.length };
}
