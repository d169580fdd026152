import { BackendError, type BackendEnvironment, type Call } from '@dstack/backend-base';
import { RestClient } from '@dstack/backend-base/rest';
import { z } from 'zod';
import { explainGraphql, explainRunpod } from './errors.js';
import { graphqlLiteral } from './graphql-literal.js';
import type { PodRequest } from './pod-request.js';
import {
  bidsReply,
  clusterReply,
  clustersReply,
  clusterTypesReply,
  cpusReply,
  dataCentersReply,
  gpusReply,
  graphqlReply,
  type MadeCluster,
  pod,
  podsReply,
  registriesReply,
  registry,
  type RunpodCluster,
  type RunpodClusterType,
  type RunpodCpu,
  type RunpodGpu,
  type RunpodPod,
  type RunpodVolume,
  volume,
  volumesReply,
} from './schema.js';

const CLOUD = 'https://api.runpod.io';

export interface GpuQuery {
  readonly count: number;
  readonly cloud: 'SECURE' | 'COMMUNITY';
  readonly countryCode: string | null;
  readonly product?: 'POD' | 'CLUSTER';
}

export interface BidsQuery {
  readonly count: number;
  readonly cloud: 'SECURE' | 'COMMUNITY';
  /** Data centers, or countries. */
  readonly places: readonly string[];
}

/** By place and type. */
export type Bids = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * The calls that are used: REST v2 for everything but the creation of pods and clusters, and prices of bids and clusters. There its one text of arguments is not known to replace an
 * image's entry point, and it has no countries; GraphQL's `dockerArgs` does, and is what others have run jobs with for years.
 */
export class RunpodClient {
  private constructor(private readonly rest: RestClient) {}

  static async open(apiKey: string, environment: BackendEnvironment): Promise<RunpodClient> {
    const rest = await RestClient.open({
      baseUrl: environment.endpoint ?? CLOUD,
      headers: { authorization: `Bearer ${apiKey}` },
      secrets: [apiKey],
      explain: explainRunpod,
      environment,
    });
    return new RunpodClient(rest);
  }

  /** Gives the new pod's id. */
  async deploy({ mutation, inputType, input }: PodRequest, call: Call): Promise<string> {
    const query = `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { id } }`;
    const body = { query, variables: { input } };
    const reply = await this.rest.send({ method: 'POST', path: '/graphql', body, schema: graphqlReply }, call);
    const id = reply.data?.[mutation]?.id;
    if (id !== undefined && !reply.errors?.length) return id;
    throw refusalOf(reply.errors);
  }

  /** In each place, what one GPU of each type costs at the least until somebody pays more. US dollars per hour. */
  async bids({ count, cloud, places }: BidsQuery, call: Call): Promise<Bids> {
    const where = cloud === 'SECURE' ? 'dataCenterId' : 'countryCode';
    const input = (place: string): string =>
      `{gpuCount: ${count}, secureCloud: ${cloud === 'SECURE'}, ${where}: ${JSON.stringify(place)}}`;
    const fields = places.map(
      (place, index) => `p${index}: gpuTypes { id lowestPrice(input: ${input(place)}) { minimumBidPrice } }`,
    );
    const body = { query: `query { ${fields.join(' ')} }` };
    const request = { method: 'POST', path: '/graphql', body, schema: bidsReply, isRepeatable: true } as const;
    const { data, errors } = await this.rest.send(request, call);
    if (errors?.length) throw refusalOf(errors);
    const bidsAt = (index: number) =>
      new Map((data?.[`p${index}`] ?? []).map(({ id, lowestPrice }) => [id, lowestPrice?.minimumBidPrice ?? 0]));
    return new Map(places.map((place, index) => [place, bidsAt(index)]));
  }

  /** Those of clusters, too, which RunPod leaves out unless it is told. */
  async pods(call: Call): Promise<RunpodPod[]> {
    const query = { includeClusterPods: true };
    return (await this.rest.send({ method: 'GET', path: '/v2/pods', query, schema: podsReply }, call)).pods;
  }

  pod(id: string, call: Call): Promise<RunpodPod> {
    return this.rest.send({ method: 'GET', path: `/v2/pods/${encodeURIComponent(id)}`, schema: pod }, call);
  }

  async terminate(id: string, call: Call): Promise<void> {
    const path = `/v2/pods/${encodeURIComponent(id)}`;
    await this.rest.send({ method: 'DELETE', path, schema: z.unknown() }, call);
  }

  async setRegistry(podId: string, registryId: string, call: Call): Promise<void> {
    const path = `/v2/pods/${encodeURIComponent(podId)}`;
    await this.rest.send({ method: 'PATCH', path, body: { registry: registryId }, schema: z.unknown() }, call);
  }

  /** What has been made, and what RunPod complains of nevertheless. */
  async createCluster(
    input: Readonly<Record<string, unknown>>,
    call: Call,
  ): Promise<{ readonly made: MadeCluster | null; readonly refusal: BackendError | null }> {
    const query = `mutation { createCluster(input: ${graphqlLiteral(input)}) { id pods { id } } }`;
    const request = { method: 'POST', path: '/graphql', body: { query }, schema: clusterReply } as const;
    const { data, errors } = await this.rest.send(request, call);
    const made = data?.createCluster ?? null;
    if (made !== null && !errors?.length) return { made, refusal: null };
    return { made, refusal: refusalOf(errors) };
  }

  async clusters(call: Call): Promise<RunpodCluster[]> {
    return (await this.rest.send({ method: 'GET', path: '/v2/clusters', schema: clustersReply }, call)).clusters;
  }

  async podsOfCluster(id: string, call: Call): Promise<RunpodPod[]> {
    const path = `/v2/clusters/${encodeURIComponent(id)}/pods`;
    return (await this.rest.send({ method: 'GET', path, schema: podsReply }, call)).pods;
  }

  async deleteCluster(id: string, call: Call): Promise<void> {
    const path = `/v2/clusters/${encodeURIComponent(id)}`;
    await this.rest.send({ method: 'DELETE', path, schema: z.unknown() }, call);
  }

  /** Prices and places of clusters, which REST does not tell. */
  async clusterTypes(call: Call): Promise<RunpodClusterType[]> {
    const body = { query: 'query { gpuTypes { id clusterPrice maxGpuCount nodeGroupDatacenters { id } } }' };
    const request = { method: 'POST', path: '/graphql', body, schema: clusterTypesReply, isRepeatable: true } as const;
    const { data, errors } = await this.rest.send(request, call);
    if (errors?.length) throw refusalOf(errors);
    return data?.gpuTypes ?? [];
  }

  async gpus({ count, cloud, countryCode, product = 'POD' }: GpuQuery, call: Call): Promise<RunpodGpu[]> {
    const query = {
      include: 'AVAILABILITY',
      product,
      count,
      cloud,
      ...(countryCode === null ? {} : { countryCodes: countryCode }),
    };
    return (await this.rest.send({ method: 'GET', path: '/v2/catalog/gpus', query, schema: gpusReply }, call)).gpus;
  }

  async cpus(call: Call): Promise<RunpodCpu[]> {
    const query = { include: 'AVAILABILITY', product: 'POD' };
    return (await this.rest.send({ method: 'GET', path: '/v2/catalog/cpus', query, schema: cpusReply }, call)).cpus;
  }

  async dataCenters(call: Call): Promise<string[]> {
    const request = { method: 'GET', path: '/v2/catalog/datacenters', schema: dataCentersReply } as const;
    return (await this.rest.send(request, call)).dataCenters.map(({ id }) => id);
  }

  async registries(call: Call): Promise<{ id: string; name: string }[]> {
    const request = { method: 'GET', path: '/v2/registries', schema: registriesReply } as const;
    return (await this.rest.send(request, call)).registries;
  }

  async addRegistry(body: { name: string; username: string; password: string }, call: Call): Promise<string> {
    return (await this.rest.send({ method: 'POST', path: '/v2/registries', body, schema: registry }, call)).id;
  }

  async deleteRegistry(id: string, call: Call): Promise<void> {
    const path = `/v2/registries/${encodeURIComponent(id)}`;
    await this.rest.send({ method: 'DELETE', path, schema: z.unknown() }, call);
  }

  async volumes(call: Call): Promise<RunpodVolume[]> {
    const request = { method: 'GET', path: '/v2/network-volumes', schema: volumesReply } as const;
    return (await this.rest.send(request, call)).networkVolumes;
  }

  addVolume(body: { name: string; size: number; dataCenter: string }, call: Call): Promise<RunpodVolume> {
    return this.rest.send({ method: 'POST', path: '/v2/network-volumes', body, schema: volume }, call);
  }

  async deleteVolume(id: string, call: Call): Promise<void> {
    const path = `/v2/network-volumes/${encodeURIComponent(id)}`;
    await this.rest.send({ method: 'DELETE', path, schema: z.unknown() }, call);
  }
}

function refusalOf(errors: readonly { readonly message: string }[] | null | undefined): BackendError {
  const { failure, message } = explainGraphql((errors ?? []).map((error) => error.message));
  return new BackendError(failure, message);
}
