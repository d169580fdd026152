import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Dstack, Wire } from '@dstack/sdk';
import { jsonFlag } from '../base/json-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { watchText } from '../base/watch.js';
import { CliError } from '../errors/cli-error.js';
import { metricsText } from '../render/metrics-table.js';

const SAMPLES = 1000;
const WINDOW_MS = 60 * 60_000;
const REFRESH_MS = 10_000;

interface JobMetrics {
  readonly replica: number;
  readonly job: number;
  readonly metrics: Wire.JobMetrics;
}

export default class Metrics extends ProjectCommand {
  static override summary = 'Show how a run used its machine in the last hour';
  static override enableJsonFlag = true;
  static override args = { run_name: Args.string({ description: 'The run', required: true }) };
  static override flags = {
    ...jsonFlag,
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing it' }),
    replica: Flags.integer({ summary: 'Only this replica', min: 0 }),
    job: Flags.integer({ summary: 'Only this job', min: 0 }),
  };

  async run(): Promise<{ run: string; jobs: JobMetrics[] }> {
    const { args, flags } = await this.parse(Metrics);
    const client = await this.connect(flags);
    const load = () => this.load(client, args.run_name, flags);
    const draw = (jobs: readonly JobMetrics[]) => {
      const manyReplicas = new Set(jobs.map((job) => job.replica)).size > 1;
      const views = jobs.map((job) => ({
        name: manyReplicas ? `r=${job.replica} j=${job.job}` : `job=${job.job}`,
        metrics: job.metrics,
      }));
      return metricsText(views, { style: this.context.style, width: this.context.width() });
    };
    if (flags.watch && !this.jsonEnabled()) {
      await watchText(this.context, async () => draw(await load()), REFRESH_MS);
      return { run: args.run_name, jobs: [] };
    }
    const jobs = await load();
    this.print(draw(jobs));
    return { run: args.run_name, jobs };
  }

  private async load(
    client: Dstack,
    runName: string,
    only: { replica?: number | undefined; job?: number | undefined },
  ): Promise<JobMetrics[]> {
    const run = await client.runs.get(runName);
    const specs = run.jobs
      .map((job) => ({ replica: job.job_spec.replica_num ?? 0, job: job.job_spec.job_num }))
      .filter((spec) => (only.replica ?? spec.replica) === spec.replica && (only.job ?? spec.job) === spec.job);
    if (specs.length === 0)
      throw new CliError(`Run ${runName} has no such job.`, { hint: 'See its jobs: dstack ps -v' });
    const after = new Date(this.context.now() - WINDOW_MS).toISOString();
    return Promise.all(
      specs.map(async (spec) => ({
        ...spec,
        metrics: await client.metrics.job({ runName, ...spec, limit: SAMPLES, after }),
      })),
    );
  }
}
