import * as Flags from '@oclif/core/flags';
import type { Dstack, Wire } from '@dstack/sdk';
import { loadProfile } from '../apply/load-profile.js';
import { withFlags } from '../apply/load-configuration.js';
import { offerFlags, profileFlags, resourceFlags, type RunFlagValues } from '../apply/run-flags.js';
import { jsonFlags } from '../base/json-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { UsageError } from '../errors/cli-error.js';
import { backendWarnings } from '../render/plan-warnings.js';
import { gpusTable } from '../render/gpus-table.js';
import { offersTable } from '../render/offers-table.js';
import { formatPrice } from '../render/price.js';
import { rejectionsText } from '../render/rejections.js';
import { renderProperties } from '../render/properties.js';
import { formatResourcesSpec } from '../render/resources.js';
import { withProgress } from '../terminal/progress.js';
import type { Style } from '../terminal/style.js';

const GROUPS = ['gpu', 'backend', 'region', 'count'];
type GroupBy = NonNullable<Wire.ListGpusRequest['group_by']>;

export default class Offer extends ProjectCommand {
  static override summary = 'List offers';
  static override enableJsonFlag = true;
  static override examples = [
    'dstack offer --gpu H100:8',
    'dstack offer --group-by gpu,backend',
    'dstack offer --gpu 24GB.. --json',
  ];
  static override flags = {
    ...jsonFlags,
    'group-by': Flags.string({
      summary: 'Group by gpu, backend, region, count; several with commas',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'GROUPS',
    }),
    ...offerFlags,
    ...resourceFlags,
    ...profileFlags,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Offer);
    const groupBy = parseGroups(flags['group-by'] ?? []);
    const client = await this.connect(flags);
    const spec = await this.spec(flags);
    if (groupBy.length > 0) return this.grouped(client, spec, groupBy, flags);
    const plan = await withProgress(this.context, 'Getting offers...', () =>
      client.runs.plan(spec, {
        maxOffers: flags['max-offers'] ?? 50,
        fullOffers: flags['full-offers'],
        unallocated: flags.unallocated,
        forOffersOnly: true,
      }),
    );
    const job = plan.job_plans[0];
    if (!job) throw new UsageError('The server made no plan.', 'Try again with fewer conditions.');
    const { style } = this.context;
    const table = offersTable(job.offers, {
      style,
      width: this.context.width(),
      total: job.total_offers,
      maxPrice: job.max_price,
      firstIsChosen: false,
    });
    const offers = job.offers.length === 0 ? ` No offers fit.${rejectionsText(job)}` : table;
    const warnings = backendWarnings(plan.job_plans);
    const missing = warningLines(warnings, style);
    this.print(`${this.header(job.job_spec.requirements, plan.project_name)}\n\n${offers}${missing}`);
    return {
      project: plan.project_name,
      resources: job.job_spec.requirements.resources,
      total_offers: job.total_offers,
      offers: job.offers,
      backend_warnings: warnings,
    };
  }

  private async grouped(
    client: Dstack,
    spec: Wire.RunSpecInput,
    groupBy: readonly string[],
    flags: { 'full-offers': boolean; unallocated: boolean },
  ): Promise<unknown> {
    // Checked by parseGroups; grouping by gpu is what the server always does.
    const group_by = groupBy.filter((group) => group !== 'gpu') as GroupBy;
    const found = await withProgress(this.context, 'Getting offers...', () =>
      client.gpus.find({
        run_spec: spec,
        group_by,
        full_offers: flags['full-offers'],
        unallocated_resources: flags.unallocated,
      }),
    );
    const { style } = this.context;
    const { gpus } = found;
    const warnings = backendWarnings([found]);
    const missing = warningLines(warnings, style);
    const table = gpusTable(gpus, { style, width: this.context.width(), groupBy });
    this.print(
      gpus.length === 0
        ? ` No GPUs fit.${missing}`
        : `${renderProperties(
            [
              ['Project', client.project],
              ['Group by', groupBy.join(', ')],
            ],
            style,
          )}\n\n${table}${missing}`,
    );
    return { project: client.project, gpus, backend_warnings: warnings };
  }

  private async spec(
    flags: RunFlagValues & { profile?: string | undefined; 'no-profile': boolean },
  ): Promise<Wire.RunSpecInput> {
    const configuration = withFlags({ type: 'task', commands: [':'] }, flags);
    return {
      // The expanded form is a form the server takes; the contract's input types only spell it less exactly.
      configuration: configuration as Wire.TaskConfigurationInput,
      profile: await loadProfile({ profile: flags.profile, noProfile: flags['no-profile'] }, this.context),
    };
  }

  private header(requirements: Wire.Requirements, project: string): string {
    const { spot, max_price: maxPrice } = requirements;
    return renderProperties(
      [
        ['Project', project],
        ['Resources', formatResourcesSpec(requirements.resources)],
        ['Spot policy', spot === null || spot === undefined ? 'auto' : spot ? 'spot' : 'on-demand'],
        ['Max price', typeof maxPrice === 'number' ? formatPrice(maxPrice) : 'off'],
      ],
      this.context.style,
    );
  }
}

function warningLines(warnings: readonly string[], style: Style): string {
  return warnings.length === 0 ? '' : `\n${warnings.map((warning) => `\n ${style.warning(warning)}`).join('')}`;
}

function parseGroups(words: readonly string[]): string[] {
  const groups = words.flatMap((word) => word.split(',')).map((word) => word.trim());
  const unknown = groups.find((group) => !GROUPS.includes(group));
  if (unknown !== undefined) throw new UsageError(`Cannot group by ${unknown}.`, `Groups: ${GROUPS.join(', ')}.`);
  if (groups.length > 0 && !groups.includes('gpu'))
    throw new UsageError('Grouping always includes gpu.', `Write --group-by gpu,${groups.join(',')}`);
  if (groups.includes('region') && !groups.includes('backend'))
    throw new UsageError('Grouping by region includes backend.', 'Write --group-by gpu,backend,region');
  return groups;
}
