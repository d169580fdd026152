import { Inject, Injectable } from '@nestjs/common';
import { kindOfOffer, type SshHost, type Wire } from '@dstack/core';
import { HostAccessStore } from '../hosts/host-access.js';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { findInstance, type InstanceRecord } from '../instances/instance-record.js';
import { findJob, type JobRecord } from '../jobs/job-record.js';
import { Keyring } from '../keys/keyring.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findRun, type RunRecord } from '../runs/run-record.js';

/** For the SSH proxy: how a job is reached, with the keys for the way, and whom it may let in there. */
@Injectable()
export class SshUpstreamService {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    @Inject(HostAccessStore) private readonly accesses: HostAccessStore,
  ) {}

  /** @throws {ResourceNotExistsError} when no job of that id runs */
  get(id: string): Promise<Wire.GetUpstreamResponse> {
    return this.db.read(async (tx) => {
      const job = await findJob(tx, withDashes(id));
      const run = job?.status === 'running' ? await findRun(tx, job.runId) : null;
      const instance = job?.instanceId == null ? null : await findInstance(tx, job.instanceId);
      if (job === null || run === null || instance === null) throw new ResourceNotExistsError('No such job is running');
      return { hosts: await this.hosts(tx, job, instance), authorized_keys: await authorizedKeys(tx, run) };
    });
  }

  private async hosts(tx: ReadTx, job: JobRecord, instance: InstanceRecord): Promise<Wire.UpstreamHost[]> {
    const isContainer = kindOfOffer(instance.offer) === 'containers';
    const way = instance.backendType === 'local' ? [] : hops((await this.accesses.read(tx, instance.id)).host);
    if (isContainer) return way; // it is the job's own SSH server that is logged in to
    const { sshPort, username } = job.runtimeRecord.agent ?? {};
    if (sshPort === undefined) throw new ResourceNotExistsError('The job has no SSH server yet');
    const [project] = await tx.query<{ ssh_private_key: string }>('SELECT ssh_private_key FROM projects WHERE id = ?', [
      job.projectId,
    ]);
    const private_key = this.keyring.decrypt(project?.ssh_private_key ?? '');
    return [...way, { host: '127.0.0.1', port: sshPort, user: username ?? 'root', private_key }];
  }
}

/** From the outside in. */
function hops(host: SshHost): Wire.UpstreamHost[] {
  const way = host.jump === null ? [host] : [host.jump, host];
  return way.map(({ hostname, port, user, privateKeys }) => ({
    host: hostname,
    port,
    user,
    private_key: privateKeys[0] ?? '',
  }));
}

/** Of who runs it, as long as he may use the server. */
async function authorizedKeys(tx: ReadTx, run: RunRecord): Promise<string[]> {
  const [user] = await tx.query<{ ssh_public_key: string | null }>(
    'SELECT ssh_public_key FROM users WHERE id = ? AND active = true AND deleted = false',
    [run.userId],
  );
  if (user === undefined) return [];
  const more = await tx.query<{ public_key: string }>(
    'SELECT public_key FROM user_public_keys WHERE user_id = ? ORDER BY created_at',
    [run.userId],
  );
  const keys = [run.spec.ssh_key_pub, user.ssh_public_key, ...more.map((row) => row.public_key)];
  return [...new Set(keys.flatMap((key) => (key ? [key.trim()] : [])))];
}

/** User names of SSH are shorter without. */
function withDashes(id: string): string {
  return id.replace(/^(\w{8})(\w{4})(\w{4})(\w{4})(\w{12})$/, '$1-$2-$3-$4-$5').toLowerCase();
}
