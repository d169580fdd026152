import type { JsonText } from '../http/json-list.js';
import { type JobHead, latestSubmissions, type ListedJob } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { RunHead } from './run-record.js';
import { beginningOf, type JobOfRun, jobsOf, restOf, type RunFacts, shellOf } from './run-view.js';
import type { HostTexts, ShownTexts } from './shown-texts.js';

/** The JSON of `toWireRun`, in pieces: what is most of it may be remembered. */
export async function runText(
  tx: ReadTx,
  shown: ShownTexts,
  facts: RunFacts<RunHead, ListedJob>,
  spec: string | Buffer,
): Promise<JsonText> {
  const { run, isOwner } = facts;
  const [first] = latestSubmissions(facts.jobs);
  const jobs = facts.includeJobs ? jobsOf(facts) : [];
  const told = [
    ...new Set([...(first === undefined ? [] : [first]), ...jobs.flatMap((job) => [job.latest, ...job.shown])]),
  ];
  const [specs, hosts] = await Promise.all([
    Promise.all(jobs.map(({ latest }) => shown.jobSpec(tx, latest, isOwner))),
    Promise.all(told.map((job) => shown.host(tx, run, job))),
  ]);
  const byJob = new Map(told.map((job, index) => [job, hosts[index] as HostTexts])); // one for each
  const submissions = submissionTexts(facts, byJob);
  const latest = first === undefined ? 'null' : submissions(first);
  return [
    `${JSON.stringify(shellOf(facts)).slice(0, -1)},"latest_job_submission":${latest},"run_spec":`,
    spec,
    ',"jobs":[',
    ...jobs.flatMap((job, index) => [
      index === 0 ? '{"job_spec":' : ',{"job_spec":',
      specs[index] as string | Buffer, // one for each
      afterSpec(job, submissions, byJob),
    ]),
    ']}',
  ];
}

function afterSpec(
  { latest, shown }: JobOfRun,
  submissions: (job: JobHead) => string,
  hosts: ReadonlyMap<JobHead, HostTexts>,
): string {
  const connection = hosts.get(latest)?.connection ?? 'null';
  return `,"job_submissions":[${shown.map(submissions).join(',')}],"job_connection_info":${connection}}`;
}

/** A run's latest submission is among those of its jobs, too. */
function submissionTexts(
  { run, detaching }: RunFacts,
  hosts: ReadonlyMap<JobHead, HostTexts>,
): (job: JobHead) => string {
  const texts = new Map<JobHead, string>();
  return (job) => {
    const known = texts.get(job);
    if (known !== undefined) return known;
    const beginning = JSON.stringify(beginningOf(job)).slice(0, -1);
    const host = `"job_provisioning_data":${job.provisioningText ?? 'null'},"job_runtime_data":${hosts.get(job)?.runtimeData ?? 'null'}`;
    const text = `${beginning},${host},${JSON.stringify(restOf(run, job, detaching)).slice(1)}`;
    texts.set(job, text);
    return text;
  };
}
