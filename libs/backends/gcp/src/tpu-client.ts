import type { BackendEnvironment, Call } from '@dstack/backend-base';
import type { Credentials } from './credentials.js';
import { GoogleRest } from './google-rest.js';
import { nodeReply, nodesPage, type TpuNode, type TpuOperation, tpuOperationReply } from './schema.js';

const CLOUD = 'https://tpu.googleapis.com';

/**
 * The calls that are used of Cloud TPU v2. Plain REST: Google's own package brings gRPC and another copy of the library that signs in,
 * 30 MB for five calls.
 */
export class TpuApi {
  private readonly rest: GoogleRest;

  constructor(
    private readonly project: string,
    credentials: Credentials,
    environment: BackendEnvironment,
  ) {
    this.rest = new GoogleRest(`${environment.endpoint ?? CLOUD}/v2`, credentials, environment);
  }

  /** There is no token: a second node of the name is refused. */
  createNode(zone: string, nodeId: string, body: object, call: Call): Promise<TpuOperation> {
    return this.rest.send(
      { method: 'POST', path: `${this.location(zone)}/nodes`, query: { nodeId }, body, schema: tpuOperationReply },
      call,
    );
  }

  node(zone: string, nodeId: string, call: Call): Promise<TpuNode> {
    return this.rest.send({ method: 'GET', path: this.nodePath(zone, nodeId), schema: nodeReply }, call);
  }

  /** Of all zones. */
  nodes(call: Call): Promise<TpuNode[]> {
    const schema = nodesPage.transform(({ nodes: items, nextPageToken }) => ({ items, nextPageToken }));
    return this.rest.pages({ method: 'GET', path: `${this.location('-')}/nodes`, schema }, call);
  }

  deleteNode(zone: string, nodeId: string, call: Call): Promise<TpuOperation> {
    return this.rest.send({ method: 'DELETE', path: this.nodePath(zone, nodeId), schema: tpuOperationReply }, call);
  }

  /** The list replaces the one before. */
  setDataDisks(zone: string, nodeId: string, dataDisks: readonly object[], call: Call): Promise<TpuOperation> {
    const query = { updateMask: 'dataDisks' };
    const path = this.nodePath(zone, nodeId);
    return this.rest.send({ method: 'PATCH', path, query, body: { dataDisks }, schema: tpuOperationReply }, call);
  }

  /** By its whole name. */
  operation(name: string, call: Call): Promise<TpuOperation> {
    return this.rest.send({ method: 'GET', path: `/${name}`, schema: tpuOperationReply }, call);
  }

  private nodePath(zone: string, nodeId: string): string {
    return `${this.location(zone)}/nodes/${encodeURIComponent(nodeId)}`;
  }

  private location(zone: string): string {
    return `/projects/${this.project}/locations/${encodeURIComponent(zone)}`;
  }
}
