import type { Explanation, Obstacle, ObstacleKind } from './explanation.js';

const LINES_SHOWN = 20;
const NAMES_SHOWN = 3;
const ORDER: readonly ObstacleKind[] = ['busy', 'away', 'fleet', 'offers', 'mismatch'];

/** For people, what helps most first: `host lab-0: 2 gpus needed, 1 of 8 free`. Hosts with the same trouble share a line. */
export function explanationLines(explanation: Explanation, limit = LINES_SHOWN): string[] {
  const of = (kinds: readonly ObstacleKind[]): string[] =>
    kinds.flatMap((kind) => obstacleLines(explanation.obstacles.filter((obstacle) => obstacle.kind === kind)));
  const reliefs = explanation.reliefs.map(
    ({ runName, userName, instances }) => `would fit after run ${runName} (${userName}): ${listed(instances)}`,
  );
  const lines = [...of(ORDER.slice(0, 1)), ...reliefs, ...of(ORDER.slice(1))];
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit - 1), `and ${lines.length - limit + 1} more reasons`];
}

function obstacleLines(obstacles: readonly Obstacle[]): string[] {
  const groups = Map.groupBy(obstacles, ({ subject, because }) => `${subject?.noun ?? ''} ${because}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    if (first.subject === null) return [first.because];
    const names = group.flatMap(({ subject }) => (subject === null ? [] : [subject.name]));
    return [`${first.subject.noun}${names.length > 1 ? 's' : ''} ${listed(names)}: ${first.because}`];
  });
}

function listed(names: readonly string[]): string {
  if (names.length <= NAMES_SHOWN + 1) return names.join(', ');
  return `${names.slice(0, NAMES_SHOWN).join(', ')} and ${names.length - NAMES_SHOWN} more`;
}
