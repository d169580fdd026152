import { Config } from '@oclif/core/config';
import type { Hook, Hooks } from '@oclif/core/interfaces';

/** What oclif knows of a program, without looking: its own reads the package, its plugins and what system this is, and no command here asks. */
export class BareConfig extends Config {
  override bin = 'dstack';

  /** Hooks are of plugins, and there are none. */
  override async runHook<T extends keyof Hooks>(): Promise<Hook.Result<Hooks[T]['return']>> {
    return { failures: [], successes: [] };
  }
}
