import type { SshProxy, Wire } from '@dstack/core';
import { hostOf, type JobHead, type JobRecord, type ListedJob, specTextOfJob } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { openText, readSealed, type SecretField } from '../reconcile/sealed-json.js';
import { redactedText } from './redact.js';
import { Remembered } from './remembered.js';
import { type RunHead, specTextOfRun } from './run-record.js';
import { connectionInfo, runtimeData } from './run-view.js';

/** Together some 4,000 runs of one job. */
const SPEC_BYTES = 24 * 1024 ** 2;
const HOST_BYTES = 12 * 1024 ** 2;

/** JSON of what a job's row tells of its host. */
export interface HostTexts {
  readonly runtimeData: string;
  readonly connection: string;
}

interface ShownHost extends HostTexts {
  /** What it was made of. */
  readonly of: readonly unknown[];
}

/** JSON, as it was made or as it is kept. */
type Text = string | Buffer;

/**
 * The JSON that lists show of specifications and hosts, remembered: a list is asked for again and again, and most of it is the same. A run's
 * specification is another with its deployment, a job's is always the same; what is known of a host is compared with what was known.
 */
export class ShownTexts {
  private readonly specs = new Remembered<Buffer>(SPEC_BYTES);
  private readonly hosts = new Remembered<ShownHost>(HOST_BYTES);

  constructor(private readonly sshProxy: SshProxy | undefined) {}

  /** Then its jobs are probably remembered, too. */
  remembers(run: RunHead, isOwner: boolean): boolean {
    return this.specs.has(keyOfRun(run, isOwner));
  }

  async runSpec(tx: ReadTx, run: RunHead, isOwner: boolean): Promise<Text> {
    const key = keyOfRun(run, isOwner);
    return (
      this.specs.get(key) ?? this.show(tx, key, textOf(specTextOfRun, tx, run.id), isOwner ? opened : redactedText)
    );
  }

  async jobSpec(tx: ReadTx, job: ListedJob, isOwner: boolean): Promise<Text> {
    const key = `${job.id} ${isOwner}`;
    const text = (): string | Promise<string> => job.specText ?? textOf(specTextOfJob, tx, job.id);
    return this.specs.get(key) ?? this.show(tx, key, text(), isOwner ? withoutKey : redactedText);
  }

  async host(tx: ReadTx, run: RunHead, job: JobHead): Promise<HostTexts> {
    const of = [job.status === 'running', job.provisioningText, job.runtimeText, run.deploymentNum];
    const known = this.hosts.get(job.id);
    if (known !== undefined && of.every((each, index) => each === known.of[index])) return known;
    return this.showHost(tx, run, job, of);
  }

  private async show(tx: ReadTx, key: string, text: string | Promise<string>, show: Show): Promise<Text> {
    const shown = openText(tx, await text, show);
    if (!this.specs.isWorthKeeping(key)) return shown;
    const bytes = Buffer.from(shown);
    this.specs.keep(key, bytes, bytes.length);
    return bytes;
  }

  private async showHost(tx: ReadTx, run: RunHead, job: JobHead, of: readonly unknown[]): Promise<HostTexts> {
    const host = hostOf(job);
    const connection =
      job.status !== 'running'
        ? null
        : connectionInfo(
            { name: run.name, spec: await readRunSpec(tx, run) },
            { ...job, ...host, spec: await readJobSpec(tx, job) },
            this.sshProxy,
          );
    const shown = { of, runtimeData: JSON.stringify(runtimeData(host)), connection: JSON.stringify(connection) };
    if (!this.hosts.isWorthKeeping(job.id)) return shown;
    const texts = [job.provisioningText ?? '', job.runtimeText ?? '', shown.runtimeData, shown.connection];
    this.hosts.keep(job.id, shown, texts.reduce((sum, { length }) => sum + length, 0)); // prettier-ignore
    return shown;
  }
}

const keyOfRun = (run: RunHead, isOwner: boolean): string => `${run.id} ${run.deploymentNum} ${isOwner}`;

type Show = (field: SecretField, open: () => string) => string;

const opened: Show = (_field, open) => open();
/** The key the nodes share never leaves the server. */
const withoutKey: Show = (field, open) => (field === 'ssh_key' ? redactedText(field, open) : open());

export async function readRunSpec(tx: ReadTx, run: RunHead): Promise<Wire.RunSpec> {
  return readSealed<Wire.RunSpec>(tx, await textOf(specTextOfRun, tx, run.id));
}

async function readJobSpec(tx: ReadTx, job: JobHead): Promise<JobRecord['spec']> {
  return readSealed<Wire.JobSpec>(tx, await textOf(specTextOfJob, tx, job.id));
}

async function textOf(find: typeof specTextOfRun, tx: ReadTx, id: string): Promise<string> {
  const [text] = await find(tx, id);
  if (text === undefined) throw new Error(`The row ${id} went away within one snapshot.`);
  return text;
}
