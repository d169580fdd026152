import { findReferences } from '../configuration/interpolation.js';
import type { InternalBackendType } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';
import type { Runtime } from './choose-runtime.js';

export interface PlannedJob {
  readonly job: Pick<Wire.JobSpec, 'env' | 'registry_auth' | 'probes' | 'commands' | 'service_port'>;
  readonly runtime: Runtime | null;
  /** Of the first offer. */
  readonly backend: InternalBackendType | null;
  /** Names of all secrets of the project. */
  readonly secrets: ReadonlySet<string>;
}

/** What will go wrong with a job that can be started: better heard before a machine is paid for. */
export function planWarnings(planned: PlannedJob): string[] {
  const missing = secretNames(planned.job).filter((name) => !planned.secrets.has(name));
  return [...missing.map(aboutSecret), ...aboutPort(planned)];
}

/** Of every secret that the job is given. */
function secretNames({ env, registry_auth: login, probes }: PlannedJob['job']): string[] {
  const texts = [
    ...Object.values(env),
    ...(login ? [login.username, login.password] : []),
    ...(probes ?? []).flatMap(({ headers, body }) => [...(headers ?? []).map(({ value }) => value), body ?? '']),
  ];
  const references = texts.flatMap((text) => findReferences(text).references);
  const names = references.filter(({ namespace }) => namespace === 'secrets').map(({ name }) => name.slice(8));
  return [...new Set(names)];
}

function aboutSecret(name: string): string {
  return `The project has no secret ${name}: the job will not start. Add it: dstack secret set ${name}`;
}

/** Processes of one machine share its ports, so each replica is told its own. */
function aboutPort({ job, runtime, backend }: PlannedJob): string[] {
  const port = job.service_port ?? null;
  if (port === null || runtime !== 'process' || backend !== 'local') return [];
  if (job.commands.some((command) => command.includes('DSTACK_SERVICE_PORT'))) return [];
  return [
    `No command uses $DSTACK_SERVICE_PORT: as processes of this machine, two replicas cannot both listen at ${port}, not even during an update`,
  ];
}
