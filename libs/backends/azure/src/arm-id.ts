export interface ArmPlace {
  readonly group: string;
  readonly name: string;
}

/** `/subscriptions/…/resourceGroups/<group>/providers/…/<name>`; null for what is no such path. */
export function parseArmId(id: string): ArmPlace | null {
  const [, group, name] = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/.+\/([^/]+)$/i.exec(id) ?? [];
  return group === undefined || name === undefined ? null : { group, name };
}

export function armId(subscription: string, group: string, kind: string, name: string): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/${kind}/${name}`;
}
