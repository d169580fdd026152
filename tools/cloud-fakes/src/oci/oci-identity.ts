import { type Json, OciRefusal, unknownOrForbidden } from './oci-refusal.js';
import type { OciRegion, RegionQuestion } from './oci-region.js';

interface FakeCompartment {
  readonly id: string;
  readonly name: string;
  /** How often each region has been asked for it: it hears of it late. */
  readonly asked: Map<string, number>;
}

/** What a region that is not the home says of a new compartment, the first times it is asked. */
const HEARSAY = ['unknown', 'CREATING'] as const;

/** The tenancy: its regions and compartments. */
export class OciIdentity {
  readonly compartments: FakeCompartment[] = [];
  readonly regions = new Map<string, 'READY' | 'IN_PROGRESS'>([
    ['eu-frankfurt-1', 'READY'],
    ['us-ashburn-1', 'READY'],
    ['us-phoenix-1', 'IN_PROGRESS'],
    ['ap-tokyo-1', 'READY'],
  ]);
  readonly home = 'us-ashburn-1';

  constructor(private readonly tenancy: string) {}

  /** @throws {OciRefusal} */
  answer({ key, parts: [id = ''], query, body }: RegionQuestion, region: OciRegion): unknown {
    switch (key) {
      case 'GET /20160918/tenancies/{tenancyId}/regionSubscriptions':
        if (id !== this.tenancy) throw unknownOrForbidden(id);
        return [...this.regions].map(([regionName, status]) => ({
          ...{ regionKey: regionName.slice(0, 3).toUpperCase(), regionName, status },
          isHomeRegion: regionName === this.home,
        }));
      case 'GET /20160918/availabilityDomains':
        return region.domains.map((name) => ({ id: `ocid1.ad.${name}`, name, compartmentId: this.tenancy }));
      case 'GET /20160918/compartments':
        return this.compartments
          .filter(({ name }) => query.get('name') === null || name === query.get('name'))
          .map((each) => this.view(each, 'ACTIVE'));
      case 'POST /20160918/compartments':
        return this.create(body, region);
      default:
        return this.one(id, region);
    }
  }

  private create(body: Json, region: OciRegion): object {
    if (region.name !== this.home)
      throw new OciRefusal(403, 'NotAllowed', `Please go to your home region ${this.home} to execute this operation.`);
    const name = String(body['name']);
    if (this.compartments.some((each) => each.name === name))
      throw new OciRefusal(409, 'CompartmentAlreadyExists', `Compartment '${name}' already exists`);
    const made = { id: `ocid1.compartment.oc1..${name}`, name, asked: new Map<string, number>() };
    this.compartments.push(made);
    return this.view(made, 'CREATING');
  }

  private one(id: string, { name: region }: OciRegion): object {
    const found = this.compartments.find((each) => each.id === id);
    if (found === undefined) throw unknownOrForbidden(id);
    const asked = found.asked.get(region) ?? 0;
    found.asked.set(region, asked + 1);
    const state = region === this.home ? 'ACTIVE' : (HEARSAY[asked] ?? 'ACTIVE');
    if (state === 'unknown') throw unknownOrForbidden(id);
    return this.view(found, state);
  }

  private view({ id, name }: FakeCompartment, lifecycleState: string): object {
    const common = { id, name, compartmentId: this.tenancy, description: name, lifecycleState };
    return { ...common, timeCreated: '2026-07-01T00:00:00.000Z' };
  }
}
