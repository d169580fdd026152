import type { BackendModule } from '@dstack/backend-base';
import type { LocalConfig } from './definition.js';
import { LocalCompute } from './local-compute.js';
import { readLocalMachine, type LocalMachine } from './local-machine.js';

export { LocalCompute, type LocalComputeOptions } from './local-compute.js';
export { readLocalMachine, type LocalMachine } from './local-machine.js';

export interface LocalExtras {
  /** `<server directory>/local` */
  readonly rootDirectory: string;
  /** `['/usr/bin/node', '/…/agent.js']`; `host --dir DIR` is appended. */
  readonly agentCommand: readonly string[];
  /** Default: what this machine really has. */
  readonly machine?: LocalMachine;
}

export const localModule: BackendModule<LocalConfig, LocalExtras> = {
  async open({ runtime }, { rootDirectory, agentCommand, machine, now }) {
    return new LocalCompute({
      runtime,
      rootDirectory,
      agentCommand,
      now,
      machine: machine ?? (await readLocalMachine()),
    });
  },
};
