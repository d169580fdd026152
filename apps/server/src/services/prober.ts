import { completeProbe, type Probe, type ProbeState } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { interpolateSecrets } from '../jobs/interpolate-secrets.js';
import { JobInputs } from '../jobs/job-inputs.js';
import { findJobs, type JobRecord } from '../jobs/job-record.js';
import { Database } from '../persistence/database.js';
import { EffectLimiter } from '../reconcile/effect-limiter.js';
import { Notices } from '../reconcile/notices.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { ProbeAsker } from './probe-asker.js';
import { ProbedReplica } from './probed-replica.js';
import { servicePortOf } from './service-port.js';

/** Replicas whose notice was lost, and those of hosts that came to this server, wait at most this long. */
const SWEEP_MS = 5_000;
const AT_ONCE = 64;

/** Asks the replicas on the hosts that this server is connected to whether they are ready. */
@Injectable()
export class Prober {
  private readonly log = new Logger('Probes');
  private readonly limiter = new EffectLimiter(AT_ONCE);
  private readonly probed = new Map<string, ProbedReplica>();
  private timer: Timer | null = null;
  private sweeping: Promise<void> | null = null;
  private isDue = false;
  private isStopped = true;
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly db: Database,
    @Inject(ProbeAsker) private readonly asker: ProbeAsker,
    @Inject(JobInputs) private readonly inputs: Pick<JobInputs, 'secrets'>,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.isStopped = false;
    this.stopListening = this.notices.listen('probes', () => this.poke());
    this.poke();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.stopListening();
    this.timer?.cancel();
    await this.sweeping;
    await Promise.all([...this.probed.values()].map((replica) => replica.stop()));
  }

  private poke(): void {
    this.isDue = true;
    if (this.sweeping !== null || this.isStopped) return;
    this.timer?.cancel();
    this.sweeping = this.sweep().finally(() => {
      this.sweeping = null;
      if (this.isDue) this.poke();
      else if (!this.isStopped) this.timer = this.world.scheduler.after(SWEEP_MS, () => this.poke());
    });
  }

  private async sweep(): Promise<void> {
    this.isDue = false;
    try {
      const jobs = await this.mine();
      const ids = new Set(jobs.map(({ id }) => id));
      for (const [id, replica] of this.probed) {
        if (ids.has(id)) continue;
        this.probed.delete(id);
        void replica.stop();
      }
      for (const job of jobs) if (!this.probed.has(job.id)) await this.begin(job);
    } catch (error) {
      this.log.error('Replicas to probe could not be listed; the next sweep tries again', String(error));
    }
  }

  private mine(): Promise<JobRecord[]> {
    return this.db.read((tx) =>
      findJobs(
        tx,
        `status = 'running' AND probes IS NOT NULL AND instance_id IN (SELECT id FROM instances WHERE connection_holder = ?)`,
        [this.me.holder],
      ),
    );
  }

  private async begin(job: JobRecord): Promise<void> {
    const port = servicePortOf(job);
    if (job.instanceId === null || port === null) return;
    const target = { jobId: job.id, instanceId: job.instanceId, port };
    const probes = await this.resolved(job);
    const tools = {
      asker: this.asker,
      limiter: this.limiter,
      world: this.world,
      tell: (jobId: string, states: readonly ProbeState[], isReady: boolean) => this.tell(jobId, states, isReady),
      onError: (error: unknown) => this.log.warn(`The answer of a probe could not be stored: ${String(error)}`),
    };
    this.probed.set(job.id, new ProbedReplica(target, probes, job.probes ?? [], tools));
  }

  /** As in commands, `${{ secrets.… }}` stands for what only this server knows. */
  private async resolved({ projectId, spec }: JobRecord): Promise<Probe[]> {
    const secrets = await this.inputs.secrets(projectId);
    const text = (value: string): string => {
      try {
        return interpolateSecrets(value, secrets);
      } catch (error) {
        this.log.warn(`A probe cannot be asked as it is written: ${error instanceof Error ? error.message : ''}`);
        return value;
      }
    };
    return (spec.probes ?? []).map(completeProbe).map((probe) => ({
      ...probe,
      headers: probe.headers.map(({ name, value }) => ({ name, value: text(value) })),
      body: typeof probe.body === 'string' ? text(probe.body) : null,
    }));
  }

  private async tell(jobId: string, states: readonly ProbeState[], isReady: boolean): Promise<boolean> {
    return this.db.write(async (tx) => {
      const told = await tx.execute(`UPDATE jobs SET probes = ? WHERE id = ? AND status = 'running'`, [
        writeJson(states),
        jobId,
      ]);
      if (told === 0) return false;
      // One that drains does not come back.
      const rows = await tx.query<{ run_id: string }>(
        `UPDATE jobs SET registered = ?, ready_at = COALESCE(ready_at, CAST(? AS bigint)), rev = rev + 1
         WHERE id = ? AND registered <> ? AND draining_since IS NULL RETURNING run_id`,
        [isReady, isReady ? await tx.now() : null, jobId, isReady],
      );
      for (const { run_id: runId } of rows) {
        await this.wake.rows(tx, 'runs', [runId]);
        this.wake.replicas(tx, runId);
      }
      return true;
    });
  }
}
