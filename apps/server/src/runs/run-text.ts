import { type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import type { Sealing } from '../persistence/sealing.js';
import { openText } from '../reconcile/sealed-json.js';
import { redactedText } from './redact.js';
import { connectionInfo, type JobOfRun, jobsOf, type RunFacts, shellOf, toWireSubmission } from './run-view.js';

/** The JSON of `toWireRun`, with the specifications as they are stored: to read them and to write them again is most of what a list costs. */
export function runText(holder: { readonly sealing: Sealing }, facts: RunFacts): string {
  const { run, isOwner } = facts;
  const submissionText = submissionTexts(facts);
  const [first] = latestSubmissions(facts.jobs);
  const latest = first === undefined ? 'null' : submissionText(first);
  const spec = openText(holder, run.specText, isOwner ? (_field, open) => open() : redactedText);
  const jobs = facts.includeJobs ? jobsOf(facts).map((job) => jobText(holder, facts, job, submissionText)) : [];
  return withMembers(shellOf(facts), `"latest_job_submission":${latest},"run_spec":${spec},"jobs":[${jobs.join(',')}]`);
}

function jobText(
  holder: { readonly sealing: Sealing },
  { run, isOwner, sshProxy }: RunFacts,
  { latest, shown }: JobOfRun,
  submissionText: (job: JobRecord) => string,
): string {
  // The key the nodes share never leaves the server.
  const spec = openText(holder, latest.specText, (field, open) =>
    isOwner && field !== 'ssh_key' ? open() : redactedText(field, open),
  );
  const connection = JSON.stringify(connectionInfo(run, latest, sshProxy));
  return `{"job_spec":${spec},"job_submissions":[${shown.map(submissionText).join(',')}],"job_connection_info":${connection}}`;
}

/** A run's latest submission is among those of its jobs, too. */
function submissionTexts({ run, detaching }: RunFacts): (job: JobRecord) => string {
  const texts = new Map<JobRecord, string>();
  return (job) => {
    const text = texts.get(job) ?? JSON.stringify(toWireSubmission(run, job, detaching));
    texts.set(job, text);
    return text;
  };
}

/** @param members JSON of more members of an object that has some */
function withMembers(object: object, members: string): string {
  return `${JSON.stringify(object).slice(0, -1)},${members}}`;
}
