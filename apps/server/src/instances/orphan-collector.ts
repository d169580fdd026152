import type { ListedMachine } from '@dstack/backend-base';
import { displayBackend, findOrphans, type KnownAttempt, LIMITS } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { findGatewayReplicas } from '../gateways/gateway-replica-record.js';
import { OrphanBalancers } from '../gateways/orphan-balancers.js';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { takeLease } from '../placement/lease.js';
import { projectTarget } from '../projects/project-target.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { OrphanVolumes } from '../volumes/orphan-volumes.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import type { MachineRecord } from './instance-record.js';
import { Quarantine } from './quarantine.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

const LEASE = 'orphans';
const CALL_MS = 60_000;

interface ProjectRow {
  readonly id: string;
  readonly name: string;
}

/** Looks from time to time whether the clouds have machines, volumes or load balancers of this installation that nobody will terminate, and does. */
@Injectable()
export class OrphanCollector {
  private readonly log = new Logger('Orphans');
  private timer: Timer | null = null;
  private current: Promise<void> | null = null;
  private isStopped = false;
  /** Once for as long as the server runs. */
  private readonly told = new Set<string>();

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(OrphanVolumes) private readonly volumes: OrphanVolumes,
    @Inject(OrphanBalancers) private readonly balancers: Pick<OrphanBalancers, 'collect'>,
    @Inject(Quarantine) private readonly quarantine: Quarantine,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.isStopped = false;
    this.rest();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    await this.current;
  }

  private rest(): void {
    this.current = null;
    if (this.isStopped) return;
    this.timer = this.world.scheduler.after(LIMITS.orphansMs, () => {
      this.current = this.round()
        .catch((error: unknown) => this.log.error('Orphans were not looked for; later again', String(error)))
        .finally(() => this.rest());
    });
  }

  /** One server of several does; the others leave it to that one until its lease ends. */
  async round(): Promise<void> {
    if ((await takeLease(this.db, LEASE, this.me.holder, LIMITS.orphansMs)) === null) return;
    const quarantinedUntil = await this.quarantine.current();
    const projects = await this.db.read((tx) =>
      tx.query<ProjectRow>('SELECT id, name FROM projects WHERE deleted = ?', [false]),
    );
    for (const project of projects) {
      for (const account of await this.accounts.ofProject(project.id)) {
        if (this.isStopped) return;
        const warn = (error: unknown): void => {
          const text = error instanceof Error ? error.message : String(error);
          this.log.warn(`Backend ${displayBackend(account.type)} of ${project.name} was not looked through: ${text}`);
        };
        await this.collect(project, account, quarantinedUntil).catch(warn);
        await this.volumes.collect(project, account).catch(warn);
        await this.balancers.collect(project, account, quarantinedUntil).catch(warn);
      }
    }
    await this.quarantine.alive();
  }

  private async collect(
    project: ProjectRow,
    { type, compute }: ComputeAccount,
    quarantinedUntil: number | null,
  ): Promise<void> {
    const listed = await compute.list(await this.accounts.owner(), this.call());
    if (listed.length === 0) return;
    // The cloud first, then the rows: an attempt is on disk before its machine exists.
    const facts = listed.map((machine) => ({ ...machine.ref, token: machine.token, machine }));
    for (const { machine, because } of findOrphans(facts, await this.attemptsOf(listed))) {
      const { ref } = machine.machine;
      const name = ref.cloudName === '' ? (ref.machineId ?? 'without a name') : ref.cloudName;
      const what = `Machine ${name} of backend ${displayBackend(type)}`;
      if (quarantinedUntil === null) {
        // Before the call: it may have been done when its answer is lost, and then nobody would be told.
        await this.tell(project, ref.machineId, `${what} is terminated: ${because}`);
        await compute.terminate(ref, this.call()).catch((error: unknown) => {
          const text = error instanceof Error ? error.message : String(error);
          this.log.warn(`${what} was not terminated, and is tried again: ${text}`);
        });
      } else {
        const until = new Date(quarantinedUntil).toISOString();
        await this.tell(project, ref.machineId, `${what} would be terminated, and is not before ${until}: ${because}`);
      }
    }
  }

  private async tell(project: ProjectRow, machineId: string | null, message: string): Promise<void> {
    const key = `${machineId ?? ''} ${message}`;
    if (this.told.has(key)) return;
    await this.db.write((tx) =>
      this.events.record(tx, { message, actorId: null, targets: [projectTarget(project.id, project.name)] }),
    );
    this.told.add(key);
    this.log.warn(message);
  }

  private async attemptsOf(listed: readonly ListedMachine[]): Promise<KnownAttempt[]> {
    const names = listed.map(({ ref }) => ref.cloudName);
    const tokens = listed.flatMap(({ token }) => token ?? []);
    const rows = await this.db.read((tx) =>
      tx.query<AttemptRow>(
        `SELECT a.cloud_name, a.token, a.outcome, i.status, i.machine FROM provisioning_attempts a
         JOIN instances i ON i.id = a.instance_id WHERE a.cloud_name IN (${marksOf(names)}) OR a.token IN (${marksOf(tokens)})`,
        [...names, ...tokens],
      ),
    );
    return [...rows.map(toKnownAttempt), ...(await this.gatewaysOf(names, tokens))];
  }

  /** Machines of gateways are named before they are made, as those of instances are. */
  private async gatewaysOf(names: readonly string[], tokens: readonly string[]): Promise<KnownAttempt[]> {
    const where = `cloud_name IN (${marksOf(names)}) OR token IN (${marksOf(tokens)})`;
    const replicas = await this.db.read((tx) => findGatewayReplicas(tx, where, [...names, ...tokens]));
    return replicas.map(({ cloudName, token, machine, status }) => ({
      cloudName: cloudName ?? '',
      token: token ?? '',
      machineId: machine?.ref.cloudName === cloudName ? (machine?.ref.machineId ?? null) : null,
      isOver: status === 'terminated',
    }));
  }

  private call() {
    return { signal: AbortSignal.timeout(CALL_MS), deadline: this.world.clock.now() + CALL_MS };
  }
}

interface AttemptRow {
  readonly cloud_name: string;
  readonly token: string;
  readonly outcome: string | null;
  readonly status: string;
  readonly machine: string | null;
}

function toKnownAttempt(row: AttemptRow): KnownAttempt {
  const ref = readJsonOrNull<MachineRecord>(row.machine)?.ref;
  return {
    cloudName: row.cloud_name,
    token: row.token,
    machineId: ref?.cloudName === row.cloud_name ? ref.machineId : null,
    isOver: row.status === 'terminated' || row.outcome === 'failed',
  };
}

function marksOf(values: readonly string[]): string {
  return values.map(() => '?').join(', ') || 'NULL';
}
