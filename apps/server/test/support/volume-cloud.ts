import {
  BackendError,
  type CloudVolume,
  type ListedVolume,
  type MachineRef,
  type VolumeSupport,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import { ComputeAccounts } from '../../src/offers/compute-accounts.js';
import type { TestServer } from './start-test-server.js';

interface Kept extends ListedVolume {
  readonly cloudName: string;
  readonly token: string;
  attachedTo: string | null;
}

/** The volumes of a cloud in memory: by token, at one machine at a time. */
export class VolumeCloud implements VolumeSupport {
  readonly volumes = new Map<string, Kept>();
  readonly calls: string[] = [];
  /** The next calls fail so, before or after they took effect. */
  readonly failures: { readonly call: string; readonly error: Error; readonly after?: boolean }[] = [];
  zone: string | null = 'eu-a';
  attachable = true;
  /** Of every machine, when somebody asks. */
  machineState: 'ready' | 'gone' = 'ready';
  /** A soft detach is accepted and never ends. */
  isStuck = false;
  private made = 0;

  async register({ volume_id: volumeId }: Parameters<VolumeSupport['register']>[0] & { volume_id?: string | null }) {
    this.begin('register');
    const own: CloudVolume = {
      volumeId: volumeId ?? '',
      sizeGb: 10,
      zone: this.zone,
      priceUsdPerMonth: 1,
      attachable: true,
      backendData: null,
    };
    if (volumeId === 'vol-missing') throw refusal('not-found', 'The volume vol-missing does not exist');
    return own;
  }

  async create({ configuration, token, cloudName }: Parameters<VolumeSupport['create']>[0]): Promise<CloudVolume> {
    this.begin('create');
    const known = [...this.volumes.values()].find((volume) => volume.token === token);
    const sizeGb = Number(configuration.size ?? 1);
    const volume = known ?? {
      volumeId: `vol-${(this.made += 1)}`,
      sizeGb,
      zone: this.zone,
      priceUsdPerMonth: sizeGb * 0.08,
      attachable: this.attachable,
      backendData: null,
      cloudName,
      token,
      attachedTo: null,
    };
    this.volumes.set(volume.volumeId, volume);
    this.end('create');
    const { cloudName: _name, token: _token, attachedTo: _at, ...answer } = volume;
    return answer;
  }

  async delete({ volumeId }: CloudVolume): Promise<'done' | 'pending'> {
    this.begin('delete');
    this.volumes.delete(volumeId);
    return 'done';
  }

  async attach({ volumeId }: CloudVolume, { machineId }: MachineRef) {
    this.begin('attach');
    const volume = this.volumes.get(volumeId);
    if (volume === undefined) throw refusal('not-found', `no volume ${volumeId}`);
    if (volume.attachedTo !== null && volume.attachedTo !== machineId)
      throw refusal('rejected', `${volumeId} is already attached to ${volume.attachedTo}`);
    volume.attachedTo = machineId;
    this.end('attach');
    return { deviceName: '/dev/sdf' };
  }

  async detach(
    { volumeId }: CloudVolume,
    _machine: MachineRef,
    { force }: { force: boolean },
  ): Promise<'done' | 'pending'> {
    this.begin(force ? 'force-detach' : 'detach');
    const volume = this.volumes.get(volumeId);
    if (this.isStuck && !force) return 'pending';
    if (volume !== undefined) volume.attachedTo = null;
    return 'done';
  }

  async list(): Promise<ListedVolume[]> {
    return [...this.volumes.values()];
  }

  private begin(call: string): void {
    this.calls.push(call);
    this.fail(call, false);
  }

  private end(call: string): void {
    this.fail(call, true);
  }

  private fail(call: string, after: boolean): void {
    const index = this.failures.findIndex((each) => each.call === call && (each.after ?? false) === after);
    const [failure] = index === -1 ? [] : this.failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }
}

export function refusal(kind: 'rejected' | 'not-found' | 'outage' | 'quota', message: string): BackendError {
  return new BackendError({ kind, blocks: 'offer' }, message);
}

/** Every project of the server has an account at a cloud with volumes from now on; null: it has none. */
export function giveVolumes(
  server: TestServer,
  cloud: VolumeCloud | null,
  offers: () => readonly Offer[] = () => [],
): void {
  const accounts: Pick<ComputeAccounts, 'ofProject' | 'open'> = server.app.get(ComputeAccounts);
  const account = {
    type: 'aws',
    definition: {
      type: 'aws',
      maxNameLength: 60,
      idempotency: { kind: 'token' },
      provisioningTimeoutMs: () => 600_000,
    },
    compute: {
      offers: async () => offers(),
      list: async () => [],
      get: async () => ({ state: cloud?.machineState ?? 'gone' }),
      volumes: cloud,
    },
  };
  // Volumes use no more of an account.
  const typed = account as unknown as Awaited<ReturnType<ComputeAccounts['open']>>;
  accounts.ofProject = async () => (cloud === null ? [] : [typed]);
  accounts.open = async () => {
    if (cloud === null) throw refusal('rejected', 'Backend aws is not configured in this project');
    return typed;
  };
}
