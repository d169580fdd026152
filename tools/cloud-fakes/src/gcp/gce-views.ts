import { type FakeDisk, type FakeGceInstance, HOST, type Json } from './gce-types.js';

export function zoneUrl(project: string, zone: string): string {
  return `${HOST}/projects/${project}/zones/${zone}`;
}

export function viewInstance(instance: FakeGceInstance, project: string): unknown {
  const { body, zone, ip, statusMessage } = instance;
  const cards = (body.networkInterfaces ?? []) as Json[]; // checked
  return {
    kind: 'compute#instance',
    id: instance.id,
    name: instance.name,
    zone: zoneUrl(project, zone),
    machineType: `${zoneUrl(project, zone)}/machineTypes/${instance.machineType}`,
    creationTimestamp: instance.createdAt,
    status: instance.status,
    ...(statusMessage === null ? {} : { statusMessage }),
    labels: instance.labels,
    scheduling: body.scheduling ?? {},
    disks: instance.disks.map(({ deviceName, source, isBoot }, index) => ({
      kind: 'compute#attachedDisk',
      index,
      deviceName,
      source: `${HOST}/${source}`,
      boot: isBoot,
    })),
    networkInterfaces: cards.map((card, index) => ({
      name: `nic${index}`,
      network: card.network,
      networkIP: `10.128.0.${(Number(instance.id) % 250) + 2}`,
      ...(card.accessConfigs === undefined
        ? {}
        : {
            accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'External NAT', ...(ip === null ? {} : { natIP: ip }) }],
          }),
    })),
  };
}

export function viewDisk(disk: FakeDisk, user: FakeGceInstance | undefined, project: string): unknown {
  const { name, zone, sizeGb, type, labels, sourceImage } = disk;
  return {
    kind: 'compute#disk',
    name,
    zone: zoneUrl(project, zone),
    sizeGb,
    type: `${zoneUrl(project, zone)}/diskTypes/${type}`,
    status: 'READY',
    labels,
    ...(sourceImage === null ? {} : { sourceImage }),
    ...(user === undefined ? {} : { users: [`${zoneUrl(project, zone)}/instances/${user.name}`] }),
  };
}
