import type { Wire } from '@dstack/sdk';
import type { Style } from '../terminal/style.js';
import { clientUrl } from './client-url.js';

interface Place {
  readonly serverUrl: string;
  readonly style: Style;
}

/** Where a service is reached. Pure. */
export function serviceLines({ service }: Wire.Run, { serverUrl, style }: Place): string[] {
  if (!service) return [];
  const { model } = service;
  return [
    `Service is published at:`,
    `  ${style.code(clientUrl(service.url, serverUrl))}`,
    ...(model
      ? [`Model ${style.code(model.name)} is published at:`, `  ${style.code(clientUrl(model.base_url, serverUrl))}`]
      : []),
  ];
}

/** A first request to paste into a terminal; the token stays where it is. Pure. */
export function firstRequest(run: Wire.Run, serverUrl: string): string | undefined {
  const { service, run_spec: spec, project_name: project } = run;
  const { configuration } = spec;
  if (!service || configuration.type !== 'service') return undefined;
  const { model } = service;
  const url = model ? `${clientUrl(model.base_url, serverUrl).replace(/\/$/, '')}/chat/completions` : clientUrl(service.url, serverUrl); // prettier-ignore
  const isOpen = configuration.auth === false && model?.base_url.startsWith(service.url) !== false;
  const token = `"Authorization: Bearer $(dstack project token --project ${project})"`;
  return [
    `curl ${url}`,
    ...(isOpen ? [] : [`-H ${token}`]),
    ...(model ? [`-H 'Content-Type: application/json'`, `-d ${quoted(firstQuestion(model.name))}`] : []),
  ].join(' \\\n    ');
}

/** Whether any of its replicas gets requests. Older servers do not tell. Pure. */
export function hasReadyReplica(run: Wire.Run): boolean {
  return run.jobs.some((job) => {
    const latest: (Wire.JobSubmission & { readonly ready?: boolean | null }) | undefined = job.job_submissions.at(-1);
    return latest?.status === 'running' && latest.ready !== false;
  });
}

/** Why the last update of a service was taken back, where the server tells. Pure. */
export function deploymentNote(run: Wire.Run & { readonly deployment_note?: string | null }): string | undefined {
  return run.deployment_note ?? undefined;
}

function firstQuestion(model: string): string {
  return JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
}

/** One word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
