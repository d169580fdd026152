import { runJobSide } from './run-job-side.js';
import { runJump } from '../jump/run-jump.js';
import { readJumpSettings, readWholeAgentSettings } from './whole-agent-settings.js';

/** In a container without a host agent around it: made for one job, whose side is the whole agent then, or to lead to such ones. */
export async function runContainerAgent(directory: string): Promise<number> {
  const jump = readJumpSettings(process.env);
  if (jump !== undefined) return runJump(jump);
  return runJobSide(directory, readWholeAgentSettings(process.env));
}
