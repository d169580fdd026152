import type { Explanation, Obstacle, ObstacleKind, Relief, SomeNames } from './explanation.js';

const LINES_SHOWN = 20;
const ORDER: readonly ObstacleKind[] = ['busy', 'away', 'fleet', 'offers', 'mismatch'];

/** For people, what helps most first: `host lab-0: 2 gpus needed, 1 of 8 free`. */
export function explanationLines({ obstacles, reliefs }: Explanation, limit = LINES_SHOWN): string[] {
  const [busy, ...others] = ORDER.map((kind) => obstacles.filter((obstacle) => obstacle.kind === kind));
  const lines = [...(busy ?? []).map(obstacleLine), ...reliefs.map(reliefLine), ...others.flat().map(obstacleLine)];
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit - 1), 'and more'];
}

function obstacleLine({ about, because }: Obstacle): string {
  if (about === null) return because;
  return `${about.noun}${about.names.count === 1 ? '' : 's'} ${listed(about.names)}: ${because}`;
}

function reliefLine({ runName, userName, instances }: Relief): string {
  return `would fit after run ${runName} (${userName}): ${listed(instances)}`;
}

function listed({ first, count }: SomeNames): string {
  const rest = count - first.length;
  return rest === 0 ? first.join(', ') : `${first.join(', ')} and ${rest} more`;
}
