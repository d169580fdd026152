import type { AbsentInstance, PlacementFleet, PlacementGroup, PlacementInput, PlacementInstance, Seat } from './placement-input.js'; // prettier-ignore

/** The free capacity that is left while one pass hands it out. */
export class Capacity {
  private readonly instances: Map<string, PlacementInstance>;
  private readonly fleets: Map<string, PlacementFleet>;
  private readonly absent: readonly AbsentInstance[];
  private readonly heldFleets = new Set<string>();

  constructor({ instances, fleets, absent }: Omit<PlacementInput, 'groups'>) {
    this.instances = new Map(instances.map((instance) => [instance.id, instance]));
    this.fleets = new Map(fleets.map((fleet) => [fleet.id, fleet]));
    this.absent = absent;
  }

  fleet(id: string): PlacementFleet | undefined {
    return this.fleets.get(id);
  }

  instancesOf(fleetId: string): PlacementInstance[] {
    return [...this.instances.values()].filter((instance) => instance.fleetId === fleetId);
  }

  absentOf(fleetId: string): readonly AbsentInstance[] {
    return this.absent.filter((instance) => instance.fleetId === fleetId);
  }

  take(group: PlacementGroup, fleetId: string, seats: readonly Seat[]): void {
    for (const seat of seats) {
      if (seat.kind === 'reuse') this.occupy(group, seat.instanceId, seat.blocks);
      else this.grow(fleetId);
    }
  }

  /**
   * Keeps what a group could use until the backends have answered what else there is: nobody behind it may take it meanwhile. Held twice
   * is held once, as the group will take one of its plans only.
   */
  hold(group: PlacementGroup, plans: readonly { readonly fleetId: string; readonly seats: readonly Seat[] }[]): void {
    const held = new Set<string>();
    for (const { fleetId, seats } of plans) {
      this.heldFleets.add(fleetId);
      for (const seat of seats) {
        if (seat.kind !== 'reuse' || held.has(seat.instanceId)) continue;
        held.add(seat.instanceId);
        this.occupy(group, seat.instanceId, seat.blocks);
      }
    }
  }

  /** What is not free in this fleet may be free after all when the backends have answered. */
  isHeld(fleetId: string): boolean {
    return this.heldFleets.has(fleetId);
  }

  private occupy({ runName, userName }: PlacementGroup, instanceId: string, blocks: number): void {
    const instance = this.instances.get(instanceId);
    if (instance === undefined) return;
    this.instances.set(instanceId, {
      ...instance,
      status: 'busy',
      busyBlocks: instance.busyBlocks + blocks,
      holders: [...instance.holders, { runName, userName }],
    });
  }

  private grow(fleetId: string): void {
    const fleet = this.fleets.get(fleetId);
    if (fleet !== undefined) this.fleets.set(fleetId, { ...fleet, activeCount: fleet.activeCount + 1 });
  }
}
