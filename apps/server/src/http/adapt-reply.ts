import { JsonList } from './json-list.js';
import { isOlderThan, type ClientVersion } from './client-version.js';

type Json = Readonly<Record<string, unknown>>;

/** Replies as older clients read them: each rule names the version that brought today's form. */
export function adaptReply(body: unknown, client: ClientVersion | undefined): unknown {
  if (client === undefined) return body;
  const rules = RULES.filter(({ since }) => isOlderThan(client, ...since)).map(({ adapt }) => adapt);
  if (rules.length === 0) return body;
  return adaptEverywhere(body instanceof JsonList ? body.values() : body, rules);
}

type Adapt = (value: Json) => Json;

const RULES: readonly { readonly since: readonly [number, number, number]; readonly adapt: Adapt }[] = [
  {
    since: [0, 20, 8],
    adapt: (value) => (isService(value) && value['probes'] === null ? { ...value, probes: [] } : value),
  },
  {
    since: [0, 20, 12],
    adapt: (value) => (isService(value) && value['https'] === null ? { ...value, https: true } : value),
  },
  {
    since: [0, 20, 14],
    adapt: (value) => {
      const { fleets } = value;
      return Array.isArray(fleets) ? { ...value, fleets: fleets.map(referenceText) } : value;
    },
  },
  {
    since: [0, 20, 20],
    adapt: (value) => (isService(value) ? { ...value, gateway: referenceText(value['gateway']) } : value),
  },
];

function adaptEverywhere(body: unknown, rules: readonly Adapt[]): unknown {
  if (Array.isArray(body)) return body.map((item) => adaptEverywhere(item, rules));
  if (typeof body !== 'object' || body === null) return body;
  const entries = Object.entries(body).map(([key, value]) => [key, adaptEverywhere(value, rules)] as const);
  return rules.reduce<Json>((value, adapt) => adapt(value), Object.fromEntries(entries));
}

function isService(value: Json): boolean {
  return value['type'] === 'service' && 'port' in value;
}

/** `name`, or `project/name` for another project's. */
function referenceText(reference: unknown): unknown {
  if (typeof reference !== 'object' || reference === null || !('name' in reference)) return reference;
  const project = 'project' in reference ? reference.project : null;
  return typeof project === 'string' ? `${project}/${String(reference.name)}` : reference.name;
}
