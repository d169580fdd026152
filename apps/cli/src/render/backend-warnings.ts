/** Backends that are missing in the offers or could not be checked, as our server tells in plans and lists of offers; nothing from an older one. Pure. */
export function backendWarnings(plans: readonly object[]): string[] {
  const told = plans.flatMap((plan) =>
    'backend_warnings' in plan && Array.isArray(plan.backend_warnings) ? (plan.backend_warnings as unknown[]) : [],
  );
  return [...new Set(told.filter((each) => typeof each === 'string'))];
}
