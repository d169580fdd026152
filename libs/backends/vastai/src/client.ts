import { BackendError, type BackendEnvironment, type Call } from '@dstack/backend-base';
import { RestClient } from '@dstack/backend-base/rest';
import type { AskFilters } from './ask-filters.js';
import type { CreateRequest } from './create-request.js';
import { explainVastai } from './errors.js';
import {
  asksReply,
  createReply,
  destroyReply,
  instanceReply,
  instancesReply,
  type VastaiAsk,
  type VastaiInstance,
} from './schema.js';

const CLOUD = 'https://console.vast.ai';
const PAGE = 25;

/** The calls that are used of https://docs.vast.ai/api-reference, each one request (lists: one a page). */
export class VastaiClient {
  private constructor(private readonly rest: RestClient) {}

  static async open(apiKey: string, environment: BackendEnvironment): Promise<VastaiClient> {
    const rest = await RestClient.open({
      baseUrl: `${environment.endpoint ?? CLOUD}/api`,
      headers: { authorization: `Bearer ${apiKey}` },
      secrets: [apiKey],
      explain: explainVastai,
      environment,
    });
    return new VastaiClient(rest);
  }

  async asks(body: AskFilters, call: Call): Promise<VastaiAsk[]> {
    const request = { method: 'POST', path: '/v0/bundles/', body, schema: asksReply, isRepeatable: true } as const;
    return (await this.rest.send(request, call)).offers;
  }

  /** Gives the new instance's id. Not repeatable: a second request would rent the machine twice. */
  async create(askId: string, body: CreateRequest, call: Call): Promise<string> {
    const path = `/v0/asks/${encodeURIComponent(askId)}/`;
    const request = { method: 'PUT', path, body, schema: createReply, isRepeatable: false } as const;
    const reply = await this.rest.send(request, call);
    if (reply.success && typeof reply.new_contract === 'number') return String(reply.new_contract);
    const { failure, message } = explainVastai({ status: 200, body: reply });
    throw new BackendError(failure, message);
  }

  /** Undefined for one that is gone. */
  async instance(id: string, call: Call): Promise<VastaiInstance | undefined> {
    const path = `/v0/instances/${encodeURIComponent(id)}/`;
    return (await this.rest.send({ method: 'GET', path, schema: instanceReply }, call)).instances ?? undefined;
  }

  async instances(filters: Readonly<Record<string, unknown>>, call: Call): Promise<VastaiInstance[]> {
    const all: VastaiInstance[] = [];
    let token: string | null = null;
    do {
      const query: Record<string, string | number> = { limit: PAGE, select_filters: JSON.stringify(filters) };
      if (token !== null) query['after_token'] = token;
      const request = { method: 'GET', path: '/v1/instances/', query, schema: instancesReply } as const;
      const page: { instances: VastaiInstance[]; next_token?: string | null | undefined } = await this.rest.send(
        request,
        call,
      );
      all.push(...page.instances);
      token = page.next_token ?? null;
    } while (token !== null);
    return all;
  }

  async destroy(id: string, call: Call): Promise<void> {
    const path = `/v0/instances/${encodeURIComponent(id)}/`;
    const reply = await this.rest.send({ method: 'DELETE', path, body: {}, schema: destroyReply }, call);
    if (reply.success) return;
    const { failure, message } = explainVastai({ status: 200, body: reply });
    throw new BackendError(failure, message);
  }
}
