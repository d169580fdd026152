import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { StoryKind } from './defect.js';
import { StoryBrokenError } from './story-broken-error.js';
import type { Told } from './told.js';

/** A story takes a second; one that never ends, simulated to its limit, half a minute. Whoever needs more hangs. */
const STORY_LIMIT_MS = 300_000;
const SCRIPT = fileURLToPath(new URL('../dist/teller.js', import.meta.url));

/** Tells stories of one server, in a process of its own. */
export class StoryTeller {
  private readonly child: ChildProcess;
  private output = '';

  /** @param defect null: the server as it is */
  constructor(stories: StoryKind, defect: string | null) {
    this.child = fork(SCRIPT, defect === null ? [stories] : [stories, defect], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-2_000);
    });
  }

  /** One at a time. @throws {StoryBrokenError} */
  tell(seed: number): Promise<Told> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => settle(() => reject(new StoryBrokenError(`seed ${seed}: ${what}`)));
      const onMessage = (told: Told): void => settle(() => resolve(told));
      const onExit = (): void => fail(`the simulation broke off:\n${this.output}`);
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`no end after ${STORY_LIMIT_MS / 1000} seconds`);
      }, STORY_LIMIT_MS);
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        end();
      };
      if (!child.connected) return onExit();
      child.on('message', onMessage).on('exit', onExit);
      child.send(seed);
    });
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}
