import { AgentArchives } from '@dstack/server/parts';

/** The stand-in cloud has no containers. */
export class NoAgents extends AgentArchives {
  override get(): Promise<never> {
    return Promise.reject(new Error('there are no agents'));
  }
}
