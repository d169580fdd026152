import type { BackendEnvironment, Call } from '@dstack/backend-base';
import { z } from 'zod';
import type { Credentials } from './credentials.js';
import { GoogleRest } from './google-rest.js';
import {
  diskReply,
  disksPage,
  type GceDisk,
  type GceInstance,
  type GceRegion,
  type GceReservation,
  type GceRouter,
  type GceSubnet,
  instanceReply,
  instancesPage,
  type Operation,
  operationReply,
  regionsPage,
  reservationsPage,
  routersPage,
  subnetsPage,
} from './schema.js';

const CLOUD = 'https://compute.googleapis.com';

/** The calls that are used of Compute Engine v1, each one request; all failures are `BackendError`s. */
export class Gce {
  private readonly rest: GoogleRest;

  constructor(
    readonly project: string,
    credentials: Credentials,
    environment: BackendEnvironment,
  ) {
    this.rest = new GoogleRest(`${environment.endpoint ?? CLOUD}/compute/v1`, credentials, environment);
  }

  async checkProject(call: Call): Promise<void> {
    await this.rest.send({ method: 'GET', path: this.path(), query: { fields: 'id' }, schema: z.unknown() }, call);
  }

  regions(call: Call): Promise<GceRegion[]> {
    return this.rest.pages({ method: 'GET', path: this.path('regions'), schema: regionsPage }, call);
  }

  /** Subnets that the account may use, of all networks of the project that has them. */
  usableSubnets(project: string, call: Call): Promise<GceSubnet[]> {
    const path = `/projects/${project}/aggregated/subnetworks/listUsable`;
    return this.rest.pages({ method: 'GET', path, schema: subnetsPage }, call);
  }

  routers(region: string, call: Call): Promise<GceRouter[]> {
    return this.rest.pages({ method: 'GET', path: this.path('regions', region, 'routers'), schema: routersPage }, call);
  }

  insertFirewall(body: object, call: Call): Promise<Operation> {
    return this.post(this.path('global', 'firewalls'), {}, body, call);
  }

  /** The same `requestId` again is answered with the operation that it began. */
  insertInstance(zone: string, body: object, requestId: string, call: Call): Promise<Operation> {
    return this.post(this.path('zones', zone, 'instances'), { requestId }, body, call, true);
  }

  instance(zone: string, name: string, call: Call): Promise<GceInstance> {
    return this.rest.send(
      { method: 'GET', path: this.path('zones', zone, 'instances', name), schema: instanceReply },
      call,
    );
  }

  /** Of all zones. */
  instances(filter: string, call: Call): Promise<GceInstance[]> {
    const query = { filter };
    return this.rest.pages(
      { method: 'GET', path: this.path('aggregated', 'instances'), query, schema: instancesPage },
      call,
    );
  }

  deleteInstance(zone: string, name: string, call: Call): Promise<Operation> {
    return this.delete(this.path('zones', zone, 'instances', name), call);
  }

  attachDisk(zone: string, instance: string, body: object, call: Call): Promise<Operation> {
    return this.post(this.path('zones', zone, 'instances', instance, 'attachDisk'), {}, body, call);
  }

  detachDisk(zone: string, instance: string, deviceName: string, call: Call): Promise<Operation> {
    return this.post(this.path('zones', zone, 'instances', instance, 'detachDisk'), { deviceName }, undefined, call);
  }

  insertDisk(zone: string, body: object, requestId: string, call: Call): Promise<Operation> {
    return this.post(this.path('zones', zone, 'disks'), { requestId }, body, call, true);
  }

  disk(zone: string, name: string, call: Call): Promise<GceDisk> {
    return this.rest.send({ method: 'GET', path: this.path('zones', zone, 'disks', name), schema: diskReply }, call);
  }

  disks(filter: string, call: Call): Promise<GceDisk[]> {
    const query = { filter };
    return this.rest.pages({ method: 'GET', path: this.path('aggregated', 'disks'), query, schema: disksPage }, call);
  }

  deleteDisk(zone: string, name: string, call: Call): Promise<Operation> {
    return this.delete(this.path('zones', zone, 'disks', name), call);
  }

  insertResourcePolicy(region: string, body: object, call: Call): Promise<Operation> {
    return this.post(this.path('regions', region, 'resourcePolicies'), {}, body, call);
  }

  deleteResourcePolicy(region: string, name: string, call: Call): Promise<Operation> {
    return this.delete(this.path('regions', region, 'resourcePolicies', name), call);
  }

  reservations(project: string, filter: string, call: Call): Promise<GceReservation[]> {
    const path = `/projects/${project}/aggregated/reservations`;
    return this.rest.pages({ method: 'GET', path, query: { filter }, schema: reservationsPage }, call);
  }

  zoneOperation(zone: string, name: string, call: Call): Promise<Operation> {
    return this.operation(this.path('zones', zone, 'operations', name), call);
  }

  regionOperation(region: string, name: string, call: Call): Promise<Operation> {
    return this.operation(this.path('regions', region, 'operations', name), call);
  }

  private operation(path: string, call: Call): Promise<Operation> {
    return this.rest.send({ method: 'GET', path, schema: operationReply }, call);
  }

  private post(
    path: string,
    query: Readonly<Record<string, string>>,
    body: object | undefined,
    call: Call,
    isRepeatable = false,
  ): Promise<Operation> {
    return this.rest.send({ method: 'POST', path, query, body, schema: operationReply, isRepeatable }, call);
  }

  private delete(path: string, call: Call): Promise<Operation> {
    return this.rest.send({ method: 'DELETE', path, schema: operationReply }, call);
  }

  private path(...parts: readonly string[]): string {
    return ['', 'projects', this.project, ...parts.map(encodeURIComponent)].join('/');
  }
}
