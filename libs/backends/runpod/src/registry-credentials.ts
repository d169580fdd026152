import { isBackendError, type Call } from '@dstack/backend-base';
import type { RunpodClient } from './client.js';

/** Before one that no pod uses is taken for left over: a pod that is being made is not listed yet. */
const UNUSED_MS = 15 * 60_000;

/**
 * RunPod keeps the passwords of registries by name. Ours are named after one pod, so that they go with it, and carry our installation: the
 * account's own, and those of other installations, are never touched.
 */
export class RegistryCredentials {
  private readonly unusedSince = new Map<string, number>();

  constructor(
    private readonly client: RunpodClient,
    private readonly now: () => number,
  ) {}

  /** Gives its id; makes it unless it is there. */
  async ensure(
    pod: { readonly owner: string; readonly cloudName: string },
    auth: { readonly username: string; readonly password: string },
    call: Call,
  ): Promise<string> {
    const name = nameOf(pod.owner, pod.cloudName);
    const known = (await this.client.registries(call)).find((registry) => registry.name === name);
    return known?.id ?? this.client.addRegistry({ name, username: auth.username, password: auth.password }, call);
  }

  /** Failing is no harm: what is left over is found later. */
  async remove(id: string, call: Call): Promise<void> {
    await this.client.deleteRegistry(id, call).catch((error: unknown) => {
      if (!isBackendError(error)) throw error;
    });
  }

  /** Of pods that are gone, as far as nobody has removed them. @param cloudNames of all pods of the owner */
  async sweep(owner: string, cloudNames: ReadonlySet<string>, call: Call): Promise<void> {
    const registries = await this.client.registries(call);
    const prefix = nameOf(owner, '');
    const unused = registries.filter(
      ({ name }) => name.startsWith(prefix) && !cloudNames.has(name.slice(prefix.length)),
    );
    const ids = new Set(unused.map(({ id }) => id));
    for (const id of this.unusedSince.keys()) if (!ids.has(id)) this.unusedSince.delete(id);
    for (const { id } of unused) {
      const since = this.unusedSince.get(id) ?? this.now();
      this.unusedSince.set(id, since);
      if (this.now() - since >= UNUSED_MS) await this.remove(id, call);
    }
  }
}

function nameOf(owner: string, cloudName: string): string {
  return `dstack-${owner}-${cloudName}`;
}
