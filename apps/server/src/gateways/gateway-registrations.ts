import type { GatewayProblem, GatewayStatus } from '@dstack/gateway-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { Wake } from '../reconcile/wake.js';
import type { DesiredGateway } from './desired-state.js';
import { gatewayTarget } from './gateway-target.js';

/** What a gateway replica made of a service, or (with a job) of one of its replicas. */
interface Registration {
  readonly runId: string;
  readonly jobId: string;
  readonly isRegistered: boolean;
  readonly message: string | null;
  /** The same until somebody changes something. */
  readonly isLasting: boolean;
}

interface Row {
  readonly run_id: string;
  readonly job_id: string;
  readonly is_registered: boolean | number;
  readonly message: string | null;
}

/** Keeps what gateways say of the services they were told of; their runs rest on it. */
@Injectable()
export class GatewayRegistrations {
  constructor(
    private readonly db: Database,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
  ) {}

  async record(desired: DesiredGateway, status: GatewayStatus): Promise<void> {
    const told = [...registrationsOf(status), ...refusals(desired)];
    await this.db.write(async (tx) => {
      const known = await tx.query<Row>(
        'SELECT run_id, job_id, is_registered, message FROM gateway_registrations WHERE replica_id = ?',
        [desired.replica.id],
      );
      const moved = new Set<string>();
      for (const each of told) {
        const before = known.find((row) => row.run_id === each.runId && row.job_id === each.jobId);
        const hasFlipped = before === undefined || Boolean(before.is_registered) !== each.isRegistered;
        if (!hasFlipped && before.message === each.message) continue;
        if (!(await this.write(tx, desired.replica.id, each, hasFlipped))) continue;
        if (hasFlipped) moved.add(each.runId);
        await this.tell(tx, desired, each, before?.message ?? null);
      }
      for (const row of known) {
        if (told.some((each) => each.runId === row.run_id && each.jobId === row.job_id)) continue;
        await tx.execute('DELETE FROM gateway_registrations WHERE replica_id = ? AND run_id = ? AND job_id = ?', [
          desired.replica.id,
          row.run_id,
          row.job_id,
        ]);
      }
      await this.wake.rows(tx, 'runs', [...moved]);
    });
  }

  /** False: the run is gone. */
  private async write(tx: WriteTx, replicaId: string, each: Registration, hasFlipped: boolean): Promise<boolean> {
    const now = await tx.now();
    const written = await tx.execute(
      `INSERT INTO gateway_registrations (replica_id, run_id, job_id, is_registered, message, lasting, since)
       SELECT CAST(? AS varchar(36)), id, CAST(? AS varchar(36)), CAST(? AS boolean), CAST(? AS text), CAST(? AS boolean), CAST(? AS bigint) FROM runs WHERE id = ?
       ON CONFLICT (replica_id, run_id, job_id) DO UPDATE SET is_registered = excluded.is_registered, message = excluded.message,
         lasting = excluded.lasting${hasFlipped ? ', since = excluded.since' : ''}`,
      [replicaId, each.jobId, each.isRegistered, each.message, each.isLasting, now, each.runId],
    );
    return written === 1;
  }

  /** Said when it changes, and when it is over. */
  private async tell(
    tx: WriteTx,
    { gateway, replica, runs }: DesiredGateway,
    each: Registration,
    before: string | null,
  ): Promise<void> {
    if (each.message === before) return;
    const run = runs.find(({ id }) => id === each.runId);
    if (run === undefined) return;
    const where = `gateway ${gateway.name}, replica ${replica.replicaNum}`;
    const what = each.jobId === '' ? 'The service' : `Replica ${each.jobId.slice(0, 8)} of the service`;
    const message =
      each.message === null
        ? `${what} is served by ${where} again`
        : `${what} has a problem at ${where}: ${each.message}`;
    await this.events.record(tx, {
      message,
      actorId: null,
      targets: [
        { type: 'run', id: run.id, name: run.name, projectId: run.projectId, runId: run.id },
        gatewayTarget(gateway),
      ],
    });
  }
}

function registrationsOf({ services, nginxProblem }: GatewayStatus): Registration[] {
  return services.flatMap(({ id: runId, isServed, problem, certificate, replicas }) => [
    {
      runId,
      jobId: '',
      isRegistered: isServed && nginxProblem === null,
      message: textOf(nginxProblem ?? problem ?? certificate?.problem ?? null),
      isLasting: false,
    },
    ...replicas.map((replica) => ({
      runId,
      jobId: replica.id,
      isRegistered: replica.isReady,
      message: textOf(replica.problem),
      isLasting: false,
    })),
  ]);
}

function textOf(problem: GatewayProblem | null): string | null {
  return problem?.text.slice(0, 800) ?? null;
}

function refusals({ refused }: DesiredGateway): Registration[] {
  return refused.map((each) => ({ ...each, isRegistered: false, isLasting: each.jobId === '' }));
}
