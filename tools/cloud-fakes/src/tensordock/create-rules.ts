/** What TensorDock's pages say of a request for a machine; null: it is one. */
export function whatIsWrongWithCreate(body: unknown): string | null {
  const data = member(body, 'data');
  const attributes = member(data, 'attributes');
  if (member(data, 'type') !== 'virtualmachine') return 'data.type is not virtualmachine';
  if (typeof member(attributes, 'name') !== 'string' || typeof member(attributes, 'image') !== 'string')
    return 'a machine needs a name and an image';
  const hasKey = member(attributes, 'ssh_key') !== undefined;
  if (hasKey === (member(attributes, 'ssh_key_id') !== undefined)) return 'exactly one of ssh_key and ssh_key_id';
  const hasLocation = member(attributes, 'location_id') !== undefined;
  if (hasLocation === (member(attributes, 'hostnode_id') !== undefined))
    return 'exactly one of location_id and hostnode_id';
  const resources = member(attributes, 'resources');
  const [cpus, ram, storage] = ['vcpu_count', 'ram_gb', 'storage_gb'].map((name) => Number(member(resources, name)));
  if (!(cpus !== undefined && cpus > 0 && cpus % 2 === 0)) return 'vcpu_count is even';
  if (!(ram !== undefined && ram > 0 && ram % 8 === 0)) return 'ram_gb goes in steps of 8';
  if (!(storage !== undefined && storage >= 100 && storage % 50 === 0))
    return 'storage_gb is 100 or more, in steps of 50';
  const gpus = Object.values(member(resources, 'gpus') ?? {});
  const count = gpus.length === 1 ? Number(member(gpus[0], 'count')) : 0;
  return count >= 1 ? null : 'a location needs at least one GPU';
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
