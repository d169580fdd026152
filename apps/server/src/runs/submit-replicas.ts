import { Inject, Injectable } from '@nestjs/common';
import { buildJobSpecs, effectiveProfile, LIMITS, type Wire } from '@dstack/core';
import { DefaultFleetMaker } from '../fleets/default-fleet.js';
import { NEW_RUNTIME } from '../jobs/job-record.js';
import { inserter } from '../persistence/insert-rows.js';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { rowId } from '../world/row-id.js';
import { WORLD, type World } from '../world/world.js';
import { ClusterKeys } from './cluster-keys.js';

export interface ReplicaSubmission {
  readonly run: {
    readonly id: string;
    readonly projectId: string;
    readonly name: string;
    readonly deploymentNum: number;
  };
  readonly spec: Wire.RunSpec;
  readonly replicaNum: number;
  /** Null: the run has no groups. */
  readonly replicaGroup: string | null;
  /** It has no jobs yet. */
  readonly isNewRun?: boolean;
}

const insertJob = inserter('jobs', [
  'id', 'run_id', 'project_id', 'job_num', 'replica_num', 'replica_group', 'submission_num', 'deployment_num', 'status',
  'status_changed_at', 'submitted_at', 'job_spec', 'runtime_data', 'waiting_master_job', 'next_due_at',
]); // prettier-ignore

/** Creates the job rows of a replica: the first submission, or the next one of every job. */
@Injectable()
export class ReplicaSubmitter {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(DefaultFleetMaker) private readonly defaultFleets: DefaultFleetMaker,
    @Inject(WORLD) private readonly world: World,
    @Inject(ClusterKeys) private readonly clusterKeys: ClusterKeys,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'images'>,
  ) {}

  async submit(
    tx: WriteTx,
    { run, spec, replicaNum, replicaGroup, isNewRun = false }: ReplicaSubmission,
  ): Promise<void> {
    const now = await tx.now();
    await this.defaultFleets.makeIfNeeded(tx, run.projectId, effectiveProfile(spec));
    const submissionNum = isNewRun ? 0 : await nextSubmissionNum(tx, run.id, replicaNum);
    const sshKey = isMultiNode(spec) ? this.clusterKeys.create() : null;
    const specs = buildJobSpecs(
      { ...spec, run_name: run.name },
      { replicaNum, images: this.settings.images, sshKey, ...(replicaGroup === null ? {} : { replicaGroup }) },
    );
    for (const jobSpec of specs) {
      const id = rowId(this.world);
      await insertJob(tx, {
        id,
        run_id: run.id,
        project_id: run.projectId,
        job_num: jobSpec.job_num,
        replica_num: replicaNum,
        replica_group: jobSpec.replica_group ?? '0',
        submission_num: submissionNum,
        deployment_num: run.deploymentNum,
        status: 'submitted',
        status_changed_at: now,
        submitted_at: now,
        job_spec: writeSealed(tx, jobSpec),
        runtime_data: writeJson(NEW_RUNTIME),
        waiting_master_job: false,
        next_due_at: now + LIMITS.placementMs,
      });
      const target = { type: 'job' as const, id, name: jobSpec.job_name, projectId: run.projectId, runId: run.id };
      const message = `Job created on ${submissionNum === 0 ? 'submission' : 'resubmission'}. Status: SUBMITTED`;
      await this.events.record(tx, { message, actorId: null, targets: [target] });
    }
    // Placement looks for them by itself; theirs is only the time by which it must have answered.
    this.wake.topic(tx, 'placement');
  }
}

async function nextSubmissionNum(tx: WriteTx, runId: string, replicaNum: number): Promise<number> {
  const [last] = await tx.query<{ n: number | null }>(
    'SELECT MAX(submission_num) AS n FROM jobs WHERE run_id = ? AND replica_num = ?',
    [runId, replicaNum],
  );
  return last?.n === null || last?.n === undefined ? 0 : Number(last.n) + 1;
}

function isMultiNode({ configuration }: Wire.RunSpec): boolean {
  return configuration.type === 'task' && ((configuration.nodes ?? 1) > 1 || Boolean(configuration.groups));
}
