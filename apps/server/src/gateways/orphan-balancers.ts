import type { BalancerRef } from '@dstack/backend-base';
import { balancerName, displayBackend, findOrphanBalancers } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { projectTarget } from '../projects/project-target.js';
import { WORLD, type World } from '../world/world.js';
import { hasBalancer } from './gateway-balancers.js';
import { findGateways } from './gateway-record.js';

const CALL_MS = 60_000;

/** Looks whether an account has load balancers of gateways that are deleted: a call that came late may have made one again. */
@Injectable()
export class OrphanBalancers {
  private readonly log = new Logger('Orphans');
  private readonly told = new Set<string>();

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async collect(
    project: { readonly id: string; readonly name: string },
    { type, compute }: ComputeAccount,
    quarantinedUntil: number | null,
  ): Promise<void> {
    const balancers = compute.gateways?.balancers;
    // Accounts that never had one may not even ask.
    if (balancers === undefined || (await this.gateways('project_id = ?', project.id)).length === 0) return;
    // The cloud first, then the rows: a gateway is on disk before its balancer exists.
    const listed = await balancers.list(await this.accounts.owner(), this.call());
    if (listed.length === 0) return;
    const names = (await this.gateways('deleted = ?', false)).map((gateway) => balancerName(gateway));
    for (const { balancer: ref, mayBeDeleted } of findOrphanBalancers(listed, names, quarantinedUntil !== null)) {
      const what = `Load balancer ${ref.cloudName} of backend ${displayBackend(type)}`;
      if (!mayBeDeleted) {
        const until = new Date(quarantinedUntil ?? 0).toISOString();
        await this.tell(project, ref, `${what} would be deleted, and is not before ${until}: its gateway is gone`);
        continue;
      }
      await this.tell(project, ref, `${what} is deleted: its gateway is gone`);
      await balancers.delete(ref, this.call()).catch((error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        this.log.warn(`${what} was not deleted, and is tried again: ${text}`);
      });
    }
  }

  private async tell(
    project: { readonly id: string; readonly name: string },
    { cloudName }: BalancerRef,
    message: string,
  ): Promise<void> {
    const key = `${cloudName} ${message}`;
    if (this.told.has(key)) return;
    await this.db.write((tx) =>
      this.events.record(tx, { message, actorId: null, targets: [projectTarget(project.id, project.name)] }),
    );
    this.told.add(key);
    this.log.warn(message);
  }

  private async gateways(where: string, param: string | boolean) {
    const found = await this.db.read((tx) => findGateways(tx, where, [param]));
    return found.filter((gateway) => hasBalancer(gateway));
  }

  private call() {
    return { signal: AbortSignal.timeout(CALL_MS), deadline: this.world.clock.now() + CALL_MS };
  }
}
