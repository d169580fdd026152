/** Why a run has no capacity, as our server tells; nothing from an older one. Pure. */
export function pendingReasons(run: object): string[] {
  if (!('pending_reasons' in run) || !Array.isArray(run.pending_reasons)) return [];
  return run.pending_reasons.filter((reason) => typeof reason === 'string');
}
