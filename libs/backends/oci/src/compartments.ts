import { type BackendEnvironment, type Call, isBackendError, Kept } from '@dstack/backend-base';
import type { ApiKey } from './api-key.js';
import type { Oci } from './client.js';
import { steadyToken } from './steady-token.js';
import { settled } from './settled.js';

const KEPT_MS = 600_000;

/** Other regions hear of a compartment late. */
const LOOK_MS = 5_000;

export interface CompartmentsOptions {
  /** Null: one of each project, directly in the tenancy. */
  readonly configured: string | null;
  readonly apiKey: ApiKey;
  readonly clientOf: (region: string) => Oci;
  /** The only region that can make compartments. */
  readonly homeRegion: (call: Call) => Promise<string>;
  readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>;
}

export class Compartments {
  private readonly ids: Kept<string>;
  private readonly active: Kept<true>;

  constructor(private readonly options: CompartmentsOptions) {
    this.ids = new Kept(KEPT_MS, options.environment.now);
    this.active = new Kept(KEPT_MS, options.environment.now);
  }

  /** The project's, made on first need, once the region knows it. */
  async of(project: string, region: string, call: Call): Promise<string> {
    const { configured, clientOf, environment } = this.options;
    if (configured !== null) return configured;
    const id = await this.ids.get(project, call, () => this.find(project, call));
    await this.active.get(`${id} ${region}`, call, async () => {
      const look = () => clientOf(region).compartment(id, call).catch(unlessMissing);
      const what = `compartment ${nameOf(project)} in ${region}`;
      await settled(look, { wanted: 'ACTIVE', everyMs: LOOK_MS, what }, environment, call);
      return true;
    });
    return id;
  }

  /** All in which machines may be. */
  async all(call: Call): Promise<string[]> {
    const { configured, apiKey, clientOf } = this.options;
    if (configured !== null) return [configured];
    const found = await clientOf(apiKey.region).compartments(apiKey.tenancy, null, call);
    return found
      .filter(({ name, lifecycleState }) => name.startsWith(nameOf('')) && lifecycleState === 'ACTIVE')
      .map(({ id }) => id);
  }

  private async find(project: string, call: Call): Promise<string> {
    const { apiKey, clientOf, homeRegion } = this.options;
    const name = nameOf(project);
    const found = await clientOf(apiKey.region).compartments(apiKey.tenancy, name, call);
    const known = found.find((each) => each.name === name && /^(ACTIVE|CREATING)$/.test(each.lifecycleState));
    if (known !== undefined) return known.id;
    const body = { compartmentId: apiKey.tenancy, name, description: `Machines of the project ${project} of dstack` };
    const client = clientOf(await homeRegion(call));
    return (await steadyToken(apiKey.tenancy, name, (token) => client.createCompartment(body, token, call))).id;
  }
}

function nameOf(project: string): string {
  return `dstack-${project}`;
}

function unlessMissing(error: unknown): null {
  if (isBackendError(error) && error.failure.kind === 'not-found') return null;
  throw error;
}
