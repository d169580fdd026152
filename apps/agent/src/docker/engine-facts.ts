import type { RuntimeFact } from '@dstack/agent-protocol';
import type Docker from 'dockerode';
import { describeEngineError } from './engine-error.js';

const LIMIT_MS = 2000;

/** Whether an engine answers, and which; within two seconds, whatever state it is in. */
export async function engineFacts(docker: Docker): Promise<RuntimeFact> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const late = new Promise<RuntimeFact>((resolve) => {
    limit.addEventListener('abort', () => {
      resolve({ available: false, detail: `Docker Engine did not answer within ${LIMIT_MS / 1000} s` });
    });
  });
  return Promise.race([ask(docker), late]);
}

async function ask(docker: Docker): Promise<RuntimeFact> {
  try {
    const { Version: version, Os: system } = await docker.version();
    if (system !== 'linux') return { available: false, detail: `the engine runs ${system} containers, not linux ones` };
    return { available: true, detail: `Docker ${version}` };
  } catch (error) {
    return { available: false, detail: describeEngineError(error) };
  }
}
