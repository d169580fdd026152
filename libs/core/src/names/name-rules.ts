/** Runs, fleets, volumes and gateways. */
export const RESOURCE_NAME_PATTERN = /^[a-z][a-z0-9-]{1,40}$/;
export const GROUP_NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,39}$/;
export const PROJECT_NAME_PATTERN = /^[a-zA-Z0-9-_]{1,50}$/;
export const SECRET_NAME_PATTERN = /^[A-Za-z0-9-_]{1,200}$/;

export function isResourceName(name: string): boolean {
  return RESOURCE_NAME_PATTERN.test(name);
}

/** The sentence shown for a name that does not fit, null when it fits. */
export function resourceNameProblem(
  kind: 'run' | 'fleet' | 'volume' | 'gateway' | 'export',
  name: string,
): string | null {
  if (isResourceName(name)) return null;
  return `${kind} name '${name}' must match ${RESOURCE_NAME_PATTERN.source}: 2–41 characters, lower-case letters, digits and '-', starting with a letter`;
}
