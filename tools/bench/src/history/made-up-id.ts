/** A UUID that depends on the kind and the number only, and lies anywhere among the others: indexes see no order, as with random ones. */
export function madeUpId(kind: 'run' | 'job' | 'event' | 'target', number: number): string {
  const spread = (Math.imul(number, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
  return `${spread}-000${KINDS[kind]}-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

const KINDS = { run: 1, job: 2, event: 3, target: 4 };
