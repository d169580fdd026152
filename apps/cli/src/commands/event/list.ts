import * as Flags from '@oclif/core/flags';
import type { Dstack, Wire } from '@dstack/sdk';
import { parseReference } from '../../base/get-arguments.js';
import { interruptSignal } from '../../base/interrupt.js';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { UsageError } from '../../errors/cli-error.js';
import { eventLine } from '../../render/event-line.js';
import { parseSince } from '../../render/since.js';

const PAGE = 100;
const REFRESH_MS = 2_000;
/** Events may be stored a little out of order: a watch looks this far back and leaves out what it showed. */
const LOOK_BACK_MS = 20_000;

const several = { multiple: true, multipleNonGreedy: true, helpValue: 'NAME' } as const;
const TARGETS = ['target-fleet', 'target-run', 'target-volume', 'target-gateway', 'target-secret'] as const;
const WITHIN = ['within-fleet', 'within-run'] as const;

export default class EventList extends ProjectCommand {
  static override summary = 'List events, oldest first';
  static override enableJsonFlag = true;
  static override examples = ['dstack event --target-run train', 'dstack event --since 1h', 'dstack event -w'];
  static override flags = {
    ...jsonFlag,
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing events as they happen' }),
    since: Flags.string({ summary: 'All events since then: a duration or a time with offset', helpValue: 'SINCE' }),
    'target-fleet': Flags.string({ summary: 'Events of this fleet', ...several }),
    'target-run': Flags.string({ summary: 'Events of this run', ...several }),
    'target-volume': Flags.string({ summary: 'Events of this volume', ...several }),
    'target-gateway': Flags.string({ summary: 'Events of this gateway', ...several }),
    'target-secret': Flags.string({ summary: 'Events of this secret', ...several }),
    'within-fleet': Flags.string({ summary: 'Events of this fleet and its instances', ...several }),
    'within-run': Flags.string({ summary: 'Events of this run and its jobs', ...several }),
    'include-target-type': Flags.string({
      summary: 'Only events of such targets',
      options: ['project', 'user', 'fleet', 'instance', 'run', 'job', 'volume', 'gateway', 'secret'],
      ...several,
    }),
  };

  async run(): Promise<{ events: Wire.Event[] }> {
    const { flags } = await this.parse(EventList);
    if (TARGETS.filter((name) => flags[name]).length > 1)
      throw new UsageError('The --target options exclude each other.', 'Pass one of them.');
    if (WITHIN.filter((name) => flags[name]).length > 1)
      throw new UsageError('The --within options exclude each other.', 'Pass one of them.');
    const client = await this.connect(flags);
    const filter = await this.filter(client, flags);
    const sinceMs = flags.since === undefined ? undefined : parseSince(flags.since, this.context.now());
    const events = await selectEvents(client, filter, sinceMs);
    for (const event of events) this.print(eventLine(event, this.context.style));
    if (flags.watch && !this.jsonEnabled()) await this.follow(client, filter, events);
    return { events };
  }

  private async follow(client: Dstack, filter: Wire.ListEventsRequest, shown: readonly Wire.Event[]): Promise<void> {
    const seen = new Set(shown.map((event) => event.id));
    const { signal } = interruptSignal();
    while (!signal.aborted) {
      const fresh = await selectEvents(client, filter, this.context.now() - LOOK_BACK_MS);
      for (const event of fresh.filter((each) => !seen.has(each.id))) {
        seen.add(event.id);
        this.print(eventLine(event, this.context.style));
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, REFRESH_MS);
        signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      });
    }
  }

  /** Names become ids: of the newest resource of the name. */
  private async filter(client: Dstack, flags: Partial<Record<string, unknown>>): Promise<Wire.ListEventsRequest> {
    const ids = async (flag: string, find: (name: string, from: Dstack) => Promise<{ id: string }>) => {
      const names = flags[flag];
      if (!Array.isArray(names)) return null;
      return Promise.all(
        names.map(async (text: unknown) => {
          const { project, name } = parseReference(String(text));
          return (await find(name, project === undefined ? client : client.withProject(project))).id;
        }),
      );
    };
    const run = (name: string, from: Dstack) => from.runs.get(name);
    const fleet = (name: string, from: Dstack) => from.fleets.get({ name });
    const request: Wire.ListEventsRequest = {
      target_fleets: await ids('target-fleet', fleet),
      target_runs: await ids('target-run', run),
      target_volumes: await ids('target-volume', (name, from) => from.volumes.get(name)),
      target_gateways: await ids('target-gateway', (name, from) => from.gateways.get(name)),
      target_secrets: await ids('target-secret', (name, from) => from.secrets.get(name)),
      within_fleets: await ids('within-fleet', fleet),
      within_runs: await ids('within-run', run),
      // The parser let only such words through.
      include_target_types: (flags['include-target-type'] as Wire.EventTargetType[] | undefined) ?? null,
    };
    const scoped = Object.entries(request).some(([key, value]) => key !== 'include_target_types' && value !== null);
    return scoped ? request : { ...request, within_projects: [(await client.projects.get(client.project)).project_id] };
  }
}

/** The latest page, or everything since a time; oldest first. */
async function selectEvents(
  client: Dstack,
  filter: Wire.ListEventsRequest,
  sinceMs: number | undefined,
): Promise<Wire.Event[]> {
  if (sinceMs === undefined) return (await client.events.list({ ...filter, limit: PAGE })).reverse();
  const events: Wire.Event[] = [];
  let from: Pick<Wire.ListEventsRequest, 'prev_recorded_at' | 'prev_id'> = {
    prev_recorded_at: new Date(sinceMs).toISOString(),
  };
  for (;;) {
    const page = await client.events.list({ ...filter, ...from, ascending: true, limit: PAGE });
    events.push(...page);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return events;
    from = { prev_recorded_at: last.recorded_at, prev_id: last.id };
  }
}
