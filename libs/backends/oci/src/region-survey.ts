import { BackendError, type BackendEnvironment, type Call, isBackendError, Kept, Survey } from '@dstack/backend-base';
import type { Oci } from './client.js';
import { type DomainFacts, type RegionFacts, shapesOf } from './region-facts.js';
import type { LimitValue, Shape } from './schema.js';
import { hasGpus, isOffered } from './shapes.js';

const FACTS_KEPT_MS = 600_000;
const CAPACITY_KEPT_MS = 180_000;

/** Of one report. */
const SHAPES_AT_ONCE = 10;

export interface RegionSurveyOptions {
  readonly tenancy: string;
  /** In which is asked what may be used. */
  readonly compartmentId: string;
  readonly clientOf: (region: string) => Oci;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log'>;
}

/** Asks what an account may use in a region and what is free; a part that is not told is unknown, and says so in the log. */
export class RegionSurvey {
  private readonly domains: Kept<string[]>;
  private readonly shapes: Kept<Shape[]>;
  private readonly limits: Kept<LimitValue[]>;
  private readonly survey: Survey<RegionFacts>;

  constructor(private readonly options: RegionSurveyOptions) {
    const { now } = options.environment;
    this.domains = new Kept(Infinity, now);
    this.shapes = new Kept(FACTS_KEPT_MS, now);
    this.limits = new Kept(FACTS_KEPT_MS, now);
    this.survey = new Survey({
      ask: (region, call) => this.ask(options.clientOf(region), call),
      isWhole,
      keptMs: CAPACITY_KEPT_MS,
      now,
    });
  }

  /** Of a region that has not answered yet nothing is known. @throws {BackendError} for credentials that are refused */
  async of(regions: readonly string[], call: Call): Promise<Map<string, RegionFacts>> {
    const known = await this.survey.of(regions, call);
    return new Map(regions.map((region) => [region, known.get(region) ?? { domains: null, limits: null }]));
  }

  /** Where a machine goes when nobody says where. @throws {BackendError} */
  async firstDomain(client: Oci, call: Call): Promise<string> {
    const [first] = await this.domainsOf(client, call);
    if (first === undefined)
      throw new BackendError({ kind: 'not-found', blocks: 'region' }, `${client.region} has no availability domain`);
    return first;
  }

  private async ask(client: Oci, call: Call): Promise<RegionFacts> {
    const { tenancy } = this.options;
    const [domains, limits] = await Promise.all([
      this.orUntold(client, 'its availability domains', () => this.domainsOf(client, call)),
      this.orUntold(client, 'its limits', () =>
        this.limits.get(client.region, call, () => client.computeLimits(tenancy, call)),
      ),
    ]);
    if (domains === null) return { domains, limits };
    return { domains: await Promise.all(domains.map((domain) => this.domain(domain, client, call))), limits };
  }

  private domainsOf(client: Oci, call: Call): Promise<string[]> {
    return this.domains.get(client.region, call, () => client.availabilityDomains(this.options.tenancy, call));
  }

  private async domain(name: string, client: Oci, call: Call): Promise<DomainFacts> {
    const { compartmentId } = this.options;
    const found = await this.orUntold(client, `the shapes of ${name}`, () =>
      this.shapes.get(name, call, () => client.shapes(compartmentId, name, call)),
    );
    if (found === null) return { name, shapes: null, free: null };
    const shapes = shapesOf(found);
    const withGpus = [...shapes.keys()].filter((shape) => hasGpus(shape) && isOffered({ name: shape, flags: [] }));
    const free = await this.orUntold(client, `what is free in ${name}`, () =>
      this.freeOf(withGpus, name, client, call),
    );
    return { name, shapes, free };
  }

  private async freeOf(shapes: readonly string[], domain: string, client: Oci, call: Call): Promise<Set<string>> {
    const free = new Set<string>();
    for (let first = 0; first < shapes.length; first += SHAPES_AT_ONCE) {
      const some = shapes.slice(first, first + SHAPES_AT_ONCE);
      for (const shape of await client.freeShapes(this.options.compartmentId, domain, some, call)) free.add(shape);
    }
    return free;
  }

  private async orUntold<T>(client: Oci, what: string, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (!isBackendError(error) || error.failure.kind === 'credentials') throw error;
      this.options.environment.log('warn', `OCI ${client.region} does not tell ${what} (${error.message})`);
      return null;
    }
  }
}

function isWhole({ domains, limits }: RegionFacts): boolean {
  return domains !== null && limits !== null && domains.every(({ shapes, free }) => shapes !== null && free !== null);
}
