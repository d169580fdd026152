/** Backends that are missing in the offers or could not be checked, as our server tells in a plan; nothing from an older one. Pure. */
export function backendWarnings(jobPlans: readonly object[]): string[] {
  const told = jobPlans.flatMap((plan) =>
    'backend_warnings' in plan && Array.isArray(plan.backend_warnings) ? (plan.backend_warnings as unknown[]) : [],
  );
  return [...new Set(told.filter((each) => typeof each === 'string'))];
}
