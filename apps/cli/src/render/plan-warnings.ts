/** Backends that are missing in the offers or could not be checked, as our server tells in plans and lists of offers; nothing from an older one. Pure. */
export function backendWarnings(plans: readonly object[]): string[] {
  return textsOf(plans, 'backend_warnings');
}

/** What will go wrong with jobs although they can be placed, as our server tells in plans; nothing from an older one. Pure. */
export function jobWarnings(plans: readonly object[]): string[] {
  return textsOf(plans, 'warnings');
}

function textsOf(plans: readonly object[], field: string): string[] {
  const told = plans.flatMap((plan) => {
    const value = new Map<string, unknown>(Object.entries(plan)).get(field);
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  });
  return [...new Set(told)];
}
