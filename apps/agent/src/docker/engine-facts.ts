import type { RuntimeFact } from '@dstack/agent-protocol';
import type Docker from 'dockerode';
import { describeEngineError } from './engine-error.js';

const LIMIT_MS = 2000;

/** Whether an engine answers, and which; within two seconds, whatever state it is in. */
export class EngineFacts {
  private answered: RuntimeFact | null = null;

  constructor(
    private readonly docker: Pick<Docker, 'version'>,
    private readonly limitMs = LIMIT_MS,
  ) {}

  async ask(): Promise<RuntimeFact> {
    const limit = AbortSignal.timeout(this.limitMs);
    const late = new Promise<RuntimeFact>((resolve) => {
      limit.addEventListener('abort', () => {
        resolve(this.whenLate());
      });
    });
    return Promise.race([this.version(), late]);
  }

  /** An engine that has answered before is there, only busy: a job is not turned away for that. */
  private whenLate(): RuntimeFact {
    if (this.answered?.available === true)
      return { available: true, detail: `${this.answered.detail}, which is slow to answer just now` };
    return { available: false, detail: `Docker Engine did not answer within ${this.limitMs / 1000} s` };
  }

  private async version(): Promise<RuntimeFact> {
    this.answered = await this.askVersion();
    return this.answered;
  }

  private async askVersion(): Promise<RuntimeFact> {
    try {
      const { Version: version, Os: system } = await this.docker.version();
      if (system !== 'linux')
        return { available: false, detail: `the engine runs ${system} containers, not linux ones` };
      return { available: true, detail: `Docker ${version}` };
    } catch (error) {
      return { available: false, detail: describeEngineError(error) };
    }
  }
}
