import type { JumpSettings } from '../job/whole-agent-settings.js';
import { untilSignalled } from '../process/until-signalled.js';
import { generateKeyPair } from '../ssh/generate-key-pair.js';
import { startJumpServer } from './jump-server.js';

/** Runs until it is told to end. */
export async function runJump({ listen, targetPort, hostKey }: JumpSettings): Promise<number> {
  const signalled = untilSignalled();
  const key = hostKey ?? generateKeyPair().private;
  const server = await startJumpServer({ hostKey: key, listen, targetPort, now: Date.now });
  process.stdout.write(`forwards to port ${targetPort}, listens on ${listen.host}:${server.port}\n`);
  await signalled;
  await server.close();
  return 0;
}
