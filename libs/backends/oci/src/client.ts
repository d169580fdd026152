import type { Call } from '@dstack/backend-base';
import { z } from 'zod';
import type { LaunchDetails } from './launch-request.js';
import * as schema from './schema.js';
import type { OciRequest, SignedRest } from './signed-rest.js';

const MOST = 1_000;

type Get = Pick<OciRequest<never>, 'service' | 'path' | 'query'>;

/** The calls of Oracle's APIs that are used, in one region. */
export class Oci {
  constructor(
    private readonly rest: SignedRest,
    readonly region: string,
  ) {}

  launch(details: LaunchDetails, token: string, call: Call): Promise<schema.OciInstance> {
    return this.post('core', '/instances', { body: details, retryToken: token, schema: schema.instance }, call);
  }

  instance(id: string, call: Call): Promise<schema.OciInstance> {
    return this.one({ service: 'core', path: `/instances/${id}` }, schema.instance, call);
  }

  /** Those of a name, or all; terminated ones too, for some hours. */
  instances(compartmentId: string, displayName: string | null, call: Call): Promise<schema.OciInstance[]> {
    const query = { compartmentId, limit: MOST, ...(displayName === null ? {} : { displayName }) };
    return this.all({ service: 'core', path: '/instances', query }, schema.instance, call);
  }

  /** With its disk. Accepted, and carried out later. */
  async terminate(id: string, call: Call): Promise<void> {
    const query = { preserveBootVolume: false, preserveDataVolumesCreatedAtLaunch: false };
    const request = {
      service: 'core',
      region: this.region,
      method: 'DELETE',
      path: `/instances/${id}`,
      query,
    } as const;
    await this.rest.send({ ...request, schema: z.unknown() }, call);
  }

  /** Null: it has no card yet. */
  async vnic(compartmentId: string, instanceId: string, call: Call): Promise<schema.Vnic | null> {
    const query = { compartmentId, instanceId };
    const attachments = await this.all(
      { service: 'core', path: '/vnicAttachments', query },
      schema.vnicAttachment,
      call,
    );
    const attached = attachments.find(({ lifecycleState }) => lifecycleState === 'ATTACHED');
    if (!attached?.vnicId) return null;
    return this.one({ service: 'core', path: `/vnics/${attached.vnicId}` }, schema.vnic, call);
  }

  shapes(compartmentId: string, availabilityDomain: string, call: Call): Promise<schema.Shape[]> {
    const query = { compartmentId, availabilityDomain, limit: 100 };
    return this.all({ service: 'core', path: '/shapes', query }, schema.shape, call);
  }

  /** Which of the shapes have a free host; at most ten. */
  async freeShapes(
    compartmentId: string,
    availabilityDomain: string,
    shapes: readonly string[],
    call: Call,
  ): Promise<string[]> {
    const shapeAvailabilities = shapes.map((instanceShape) => ({ instanceShape }));
    const body = { compartmentId, availabilityDomain, shapeAvailabilities };
    const report = await this.post('core', '/computeCapacityReports', { body, schema: schema.capacityReport }, call);
    return report.shapeAvailabilities.flatMap(({ instanceShape, availabilityStatus }) =>
      instanceShape && availabilityStatus === 'AVAILABLE' ? [instanceShape] : [],
    );
  }

  /** Of Ubuntu, for the shape, the newest first. */
  async ubuntuImages(compartmentId: string, version: string, shape: string, call: Call): Promise<string[]> {
    const query = {
      ...{ compartmentId, operatingSystem: 'Canonical Ubuntu', operatingSystemVersion: version, shape },
      ...{ sortBy: 'TIMECREATED', sortOrder: 'DESC', lifecycleState: 'AVAILABLE' },
    };
    return (await this.all({ service: 'core', path: '/images', query }, schema.image, call)).map(({ id }) => id);
  }

  vcns(compartmentId: string, displayName: string, call: Call): Promise<schema.Vcn[]> {
    return this.all({ service: 'core', path: '/vcns', query: { compartmentId, displayName } }, schema.vcn, call);
  }

  vcn(id: string, call: Call): Promise<schema.Vcn> {
    return this.one({ service: 'core', path: `/vcns/${id}` }, schema.vcn, call);
  }

  /** Gateways, subnets and security groups of a network. */
  networkParts(
    kind: PartKind,
    compartmentId: string,
    vcnId: string,
    displayName: string,
    call: Call,
  ): Promise<schema.NetworkPart[]> {
    const query = { compartmentId, vcnId, displayName };
    return this.all({ service: 'core', path: `/${kind}`, query }, schema.networkPart, call);
  }

  subnet(id: string, call: Call): Promise<schema.NetworkPart> {
    return this.one({ service: 'core', path: `/subnets/${id}` }, schema.networkPart, call);
  }

  createVcn(body: object, retryToken: string, call: Call): Promise<schema.Vcn> {
    return this.post('core', '/vcns', { body, retryToken, schema: schema.vcn }, call);
  }

  createNetworkPart(kind: PartKind, body: object, retryToken: string, call: Call): Promise<schema.NetworkPart> {
    return this.post('core', `/${kind}`, { body, retryToken, schema: schema.networkPart }, call);
  }

  routeTable(id: string, call: Call): Promise<schema.RouteTable> {
    return this.one({ service: 'core', path: `/routeTables/${id}` }, schema.routeTable, call);
  }

  /** All of its rules. */
  async updateRoutes(id: string, routeRules: readonly object[], call: Call): Promise<void> {
    const request = { service: 'core', region: this.region, method: 'PUT', path: `/routeTables/${id}` } as const;
    await this.rest.send({ ...request, body: { routeRules }, schema: schema.routeTable }, call);
  }

  securityRules(groupId: string, call: Call): Promise<z.infer<typeof schema.securityRule>[]> {
    return this.all(
      { service: 'core', path: `/networkSecurityGroups/${groupId}/securityRules` },
      schema.securityRule,
      call,
    );
  }

  async addSecurityRule(groupId: string, rule: object, call: Call): Promise<void> {
    const path = `/networkSecurityGroups/${groupId}/actions/addSecurityRules`;
    await this.post('core', path, { body: { securityRules: [rule] }, schema: z.unknown() }, call);
  }

  regionSubscriptions(tenancy: string, call: Call): Promise<schema.RegionSubscription[]> {
    const path = `/tenancies/${tenancy}/regionSubscriptions`;
    return this.all({ service: 'identity', path }, schema.regionSubscription, call);
  }

  async availabilityDomains(compartmentId: string, call: Call): Promise<string[]> {
    const request = { service: 'identity', path: '/availabilityDomains', query: { compartmentId } } as const;
    return (await this.all(request, schema.availabilityDomain, call)).map(({ name }) => name);
  }

  /** Directly in the tenancy, of a name or all. */
  compartments(tenancy: string, name: string | null, call: Call): Promise<schema.Compartment[]> {
    const query = { compartmentId: tenancy, limit: MOST, ...(name === null ? {} : { name }) };
    return this.all({ service: 'identity', path: '/compartments', query }, schema.compartment, call);
  }

  compartment(id: string, call: Call): Promise<schema.Compartment> {
    return this.one({ service: 'identity', path: `/compartments/${id}` }, schema.compartment, call);
  }

  createCompartment(body: object, retryToken: string, call: Call): Promise<schema.Compartment> {
    return this.post('identity', '/compartments', { body, retryToken, schema: schema.compartment }, call);
  }

  computeLimits(tenancy: string, call: Call): Promise<schema.LimitValue[]> {
    const query = { compartmentId: tenancy, serviceName: 'compute', limit: MOST };
    return this.all({ service: 'limits', path: '/limitValues', query }, schema.limitValue, call);
  }

  /** Of the community, with exactly this name: the search itself is not exact. */
  async listings(name: string, call: Call): Promise<string[]> {
    const request = { service: 'marketplace', path: '/listings', query: { name, listingTypes: 'COMMUNITY' } } as const;
    const found = await this.all(request, schema.listingSummary, call);
    return found.filter((each) => each.name === name).map(({ id }) => id);
  }

  async listingVersion(id: string, call: Call): Promise<string> {
    const found = await this.one({ service: 'marketplace', path: `/listings/${id}` }, schema.listing, call);
    return found.defaultPackageVersion;
  }

  async listingImage(listing: string, version: string, call: Call): Promise<string> {
    const path = `/listings/${listing}/packages/${encodeURIComponent(version)}`;
    return (await this.one({ service: 'marketplace', path }, schema.imagePackage, call)).imageId;
  }

  async agreements(listing: string, version: string, call: Call): Promise<string[]> {
    const path = `/listings/${listing}/packages/${encodeURIComponent(version)}/agreements`;
    return (await this.all({ service: 'marketplace', path }, schema.agreement, call)).map(({ id }) => id);
  }

  async acceptedAgreements(
    compartmentId: string,
    listingId: string,
    packageVersion: string,
    call: Call,
  ): Promise<string[]> {
    const query = { compartmentId, listingId, packageVersion };
    const found = await this.all(
      { service: 'marketplace', path: '/acceptedAgreements', query },
      schema.acceptedAgreement,
      call,
    );
    return found.flatMap(({ agreementId }) => agreementId ?? []);
  }

  async acceptAgreement(
    compartmentId: string,
    listingId: string,
    packageVersion: string,
    agreementId: string,
    call: Call,
  ): Promise<void> {
    const path = `/listings/${listingId}/packages/${encodeURIComponent(packageVersion)}/agreements/${agreementId}`;
    const { signature } = await this.one({ service: 'marketplace', path }, schema.signedAgreement, call);
    const body = { compartmentId, listingId, packageVersion, agreementId, signature };
    await this.post('marketplace', '/acceptedAgreements', { body, schema: z.unknown() }, call);
  }

  private one<T>(request: Get, answer: z.ZodType<T>, call: Call): Promise<T> {
    return this.rest.send({ ...request, region: this.region, method: 'GET', schema: answer }, call);
  }

  private all<T>(request: Get, answer: z.ZodType<T>, call: Call): Promise<T[]> {
    return this.rest.sendForAll({ ...request, region: this.region, method: 'GET', schema: z.array(answer) }, call);
  }

  private post<T>(
    service: OciRequest<T>['service'],
    path: string,
    rest: Pick<OciRequest<T>, 'body' | 'retryToken' | 'schema'>,
    call: Call,
  ): Promise<T> {
    return this.rest.send({ service, region: this.region, method: 'POST', path, ...rest }, call);
  }
}

export type PartKind = 'internetGateways' | 'subnets' | 'networkSecurityGroups';
