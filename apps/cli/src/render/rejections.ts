const SHOWN = 5;

/** Why no offer fits, the most frequent reason first, as our server tells in a plan; nothing from an older one. Pure. */
export function rejectionsText(jobPlan: object): string {
  if (!('rejections' in jobPlan) || !Array.isArray(jobPlan.rejections)) return '';
  return jobPlan.rejections
    .flatMap(rejectionLine)
    .slice(0, SHOWN)
    .map((line) => `\n   - ${line}`)
    .join('');
}

function rejectionLine(rejection: unknown): string[] {
  if (typeof rejection !== 'object' || rejection === null || !('example' in rejection)) return [];
  const { example } = rejection;
  if (typeof example !== 'string') return [];
  const count = 'count' in rejection && typeof rejection.count === 'number' ? rejection.count : 1;
  return [count > 1 ? `${example} (and ${count - 1} more)` : example];
}
