/** What a backend can do, as data: known without a credential, a client or an SDK. */
export interface Capabilities {
  /** `hosts`: a machine is created, the agent comes later. `containers`: creating is running the job. */
  readonly kind: 'hosts' | 'containers';
  /** How a job can be run on its machines. */
  readonly runtimes: readonly ('container' | 'process')[];
  readonly multinode: boolean;
  readonly privileged: boolean;
  readonly instanceVolumes: boolean;
  readonly reservations: boolean;
  readonly placementGroups: boolean;
  readonly networkVolumes: boolean;
  readonly gateways: boolean;
  readonly privateGateways: boolean;
  /** Load balancers before gateways, which have the certificate `acm`. */
  readonly gatewayBalancers: boolean;
  /** It has machines that are made by one call, for all nodes of a task. */
  readonly groupProvisioning: boolean;
  /** An idle machine that powers itself off is no longer billed. */
  readonly powerOffStopsBilling: boolean;
}

/** Everything off: a definition spreads it and names what it has. */
export const NO_CAPABILITIES: Omit<Capabilities, 'kind' | 'runtimes'> = {
  multinode: false,
  privileged: false,
  instanceVolumes: false,
  reservations: false,
  placementGroups: false,
  networkVolumes: false,
  gateways: false,
  privateGateways: false,
  gatewayBalancers: false,
  groupProvisioning: false,
  powerOffStopsBilling: false,
};

/**
 * How a create call whose outcome is unknown is made safe:
 * - `token`: the cloud deduplicates by the attempt's token
 * - `name`: the cloud refuses (or returns) the second machine of one name
 * - `lookup`: neither; only `list`, once it has had `listLagMs` to catch up, tells whether the machine exists
 */
export type Idempotency = { readonly kind: 'token' | 'name' } | { readonly kind: 'lookup'; readonly listLagMs: number };
