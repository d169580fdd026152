import type { Invariant } from './invariant.js';
import type { InstanceFacts } from './mirror.js';

interface Interval {
  readonly id: string;
  /** US dollars per hour; `offered` is that of the offer the machine was created for. */
  readonly price: number;
  readonly offered: number | null;
  readonly started_at: number;
  readonly ended_at: number | null;
}

const COSTS: ReadonlySet<string> = new Set(['provisioning', 'idle', 'busy', 'terminating']);
/** What the server knows of a machine that is there, or may be. */
const THERE: ReadonlySet<string> = new Set(['pending', 'ready', 'failed']);

/** Priced intervals end after they begin, do not overlap, are there while a machine costs money, and end with it. */
export const moneyIsRight: Invariant = {
  afterChange({ story, changes, mirror, query }) {
    const touched = new Set([...changes.priced, ...changes.instances.map(({ id }) => id)]);
    for (const id of touched) {
      const instance = mirror.instances.get(id);
      if (instance === undefined || instance.hostName !== null) continue;
      const intervals = query<Interval>(
        `SELECT id, started_at, ended_at, price_usd_per_hour AS price, (
           SELECT json_extract(a.offer, '$.price') FROM provisioning_attempts a
           WHERE a.instance_id = COALESCE((SELECT i.group_id FROM instances i WHERE i.id = p.instance_id), p.instance_id) AND a.outcome = 'created' ORDER BY a.attempt DESC LIMIT 1) AS offered
         FROM priced_intervals p WHERE instance_id = ? ORDER BY started_at`,
        id,
      );
      intervals.forEach(({ started_at: startedAt, ended_at: endedAt, price, offered }, index) => {
        if (price !== offered)
          story.violate(`instance ${instance.name} is priced at ${price} an hour, and costs ${offered ?? 'nothing'}`);
        if (endedAt !== null && endedAt < startedAt)
          story.violate(`instance ${instance.name}: a priced interval ends ${startedAt - endedAt} ms before it starts`);
        const next = intervals[index + 1];
        if (next !== undefined && (endedAt === null || endedAt > next.started_at))
          story.violate(`instance ${instance.name} is priced twice at a time`);
      });
      const isPriced = intervals.some((each) => each.ended_at === null);
      if (COSTS.has(instance.status) && isThere(instance) && !isPriced)
        story.violate(`instance ${instance.name} costs money and is not priced`);
    }
  },

  atTheEnd({ story, query }) {
    const open = query('SELECT id FROM priced_intervals WHERE ended_at IS NULL').length;
    if (open > 0) story.violate(`${open} priced intervals never end`);
  },
};

function isThere({ machine }: InstanceFacts): boolean {
  return machine !== null && THERE.has(machine);
}
