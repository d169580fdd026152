import type { BackendEnvironment, Call } from '@dstack/backend-base';
import { RestClient } from '@dstack/backend-base/rest';
import { explainLambda } from './errors.js';
import {
  instanceReply,
  instancesReply,
  instanceTypesReply,
  type LambdaInstance,
  type LambdaTypes,
  launchReply,
  regionsReply,
  sshKeyReply,
  sshKeysReply,
  terminateReply,
} from './schema.js';

const CLOUD = 'https://cloud.lambda.ai';

/** Lambda allows one request a second. */
const SPACING_MS = 1_000;

export interface LaunchRequest {
  readonly region_name: string;
  readonly instance_type_name: string;
  readonly ssh_key_names: readonly [string];
  readonly name: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly user_data: string;
}

/** The calls that are used of https://docs-api.lambda.ai, each one request. */
export class LambdaClient {
  private constructor(private readonly rest: RestClient) {}

  static async open(apiKey: string, environment: BackendEnvironment): Promise<LambdaClient> {
    const rest = await RestClient.open({
      baseUrl: `${environment.endpoint ?? CLOUD}/api/v1`,
      headers: { authorization: `Bearer ${apiKey}` },
      secrets: [apiKey],
      explain: explainLambda,
      spacingMs: SPACING_MS,
      environment,
    });
    return new LambdaClient(rest);
  }

  async regions(call: Call): Promise<string[]> {
    const { data } = await this.rest.send({ method: 'GET', path: '/regions', schema: regionsReply }, call);
    return data.map(({ name }) => name);
  }

  async types(call: Call): Promise<LambdaTypes> {
    return (await this.rest.send({ method: 'GET', path: '/instance-types', schema: instanceTypesReply }, call)).data;
  }

  async instances(call: Call): Promise<LambdaInstance[]> {
    return (await this.rest.send({ method: 'GET', path: '/instances', schema: instancesReply }, call)).data;
  }

  async instance(id: string, call: Call): Promise<LambdaInstance> {
    const path = `/instances/${encodeURIComponent(id)}`;
    return (await this.rest.send({ method: 'GET', path, schema: instanceReply }, call)).data;
  }

  async sshKeys(call: Call): Promise<{ name: string; public_key: string }[]> {
    return (await this.rest.send({ method: 'GET', path: '/ssh-keys', schema: sshKeysReply }, call)).data;
  }

  async addSshKey(name: string, publicKey: string, call: Call): Promise<void> {
    const body = { name, public_key: publicKey };
    await this.rest.send({ method: 'POST', path: '/ssh-keys', body, schema: sshKeyReply }, call);
  }

  /** Gives the new instance's id. */
  async launch(body: LaunchRequest, call: Call): Promise<string> {
    const path = '/instance-operations/launch';
    const { data } = await this.rest.send({ method: 'POST', path, body, schema: launchReply }, call);
    return data.instance_ids[0] ?? '';
  }

  async terminate(id: string, call: Call): Promise<void> {
    const path = '/instance-operations/terminate';
    const body = { instance_ids: [id] };
    await this.rest.send({ method: 'POST', path, body, schema: terminateReply, isRepeatable: true }, call);
  }
}
