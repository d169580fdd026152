import { agentFolder } from '@dstack/e2e/programs';
import { whyNoTestHosts } from '@dstack/test-hosts';
import { existsSync } from 'node:fs';
import type { Bench } from '../bench.js';
import { storeSpeed } from '../logs/store-speed.js';
import { throughSsh } from '../logs/through-ssh.js';

/** Through SSH it needs root, and the agent's folder (`npm run build:folder -w @dstack/agent`). */
export const bench: Bench = {
  id: 'B7',
  title: 'Logs: into the store, and from a job on a host over SSH into the store',
  async run(options) {
    const mib = options.quick ? 16 : 512;
    const stored = [
      await storeSpeed(mib, 64 * 1024),
      await storeSpeed(mib, 1024 * 1024),
      await storeSpeed(mib, 4 * 1024 * 1024),
    ];
    const why = existsSync(agentFolder) ? whyNoTestHosts() : 'the agent folder is not built';
    if (why !== null) options.say(`nothing goes over SSH: ${why}`);
    return why === null ? [...stored, ...(await throughSsh(mib, options))] : stored;
  },
};
