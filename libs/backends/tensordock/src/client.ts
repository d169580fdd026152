import type { BackendEnvironment, Call } from '@dstack/backend-base';
import { RestClient } from '@dstack/backend-base/rest';
import { explainTensorDock } from './errors.js';
import type { CreateRequest } from './create-request.js';
import {
  anyReply,
  createdReply,
  instanceReply,
  instancesReply,
  locationsReply,
  type TensorDockInstance,
  type TensorDockLocation,
} from './schema.js';

const CLOUD = 'https://dashboard.tensordock.com';

/** A hundred requests a minute for an organization. */
const SPACING_MS = 600;

/** The calls that are used of https://dashboard.tensordock.com/api/docs, each one request. */
export class TensorDockClient {
  private constructor(private readonly rest: RestClient) {}

  static async open(token: string, environment: BackendEnvironment): Promise<TensorDockClient> {
    const rest = await RestClient.open({
      baseUrl: `${environment.endpoint ?? CLOUD}/api/v2`,
      headers: { authorization: `Bearer ${token}` },
      secrets: [token],
      explain: explainTensorDock,
      spacingMs: SPACING_MS,
      environment,
    });
    return new TensorDockClient(rest);
  }

  async locations(call: Call): Promise<TensorDockLocation[]> {
    return (await this.rest.send({ method: 'GET', path: '/locations', schema: locationsReply }, call)).data.locations;
  }

  async instances(call: Call): Promise<TensorDockInstance[]> {
    return (await this.rest.send({ method: 'GET', path: '/instances', schema: instancesReply }, call)).data.instances;
  }

  instance(id: string, call: Call): Promise<TensorDockInstance> {
    return this.rest.send({ method: 'GET', path: `/instances/${encodeURIComponent(id)}`, schema: instanceReply }, call);
  }

  /** Gives the new instance's id. */
  async create(body: CreateRequest, call: Call): Promise<string> {
    return (await this.rest.send({ method: 'POST', path: '/instances', body, schema: createdReply }, call)).data.id;
  }

  async remove(id: string, call: Call): Promise<void> {
    await this.rest.send({ method: 'DELETE', path: `/instances/${encodeURIComponent(id)}`, schema: anyReply }, call);
  }
}
