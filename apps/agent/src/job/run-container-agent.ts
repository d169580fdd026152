import { runJobSide } from './run-job-side.js';
import { readWholeAgentSettings } from './whole-agent-settings.js';

/** In a container that was made for one job, without a host agent around it: the job side is the whole agent. */
export async function runContainerAgent(directory: string): Promise<number> {
  return runJobSide(directory, readWholeAgentSettings(process.env));
}
