import { Transform } from 'node:stream';
import type { AgentBundle } from './agent-bundle.js';
import {
  acceptUploadScript,
  CANNOT_RUN,
  discardUploadScript,
  incomingFolder,
  prepareUploadScript,
} from './agent-scripts.js';
import { AGENTS_DIR, folderName, hostPaths } from './host-paths.js';
import { HostProblemError } from './host-problem.js';
import type { HostRequest } from './host-request.js';
import { mustPutOnHost, putOnHost } from './put-on-host.js';
import { runRootScript, wordsOf } from './run-script.js';

export interface UploadedAgent {
  readonly bundle: AgentBundle;
  /** Of the user who logs in. */
  readonly uid: number;
  readonly onPercent: (percent: number) => void;
}

const DISCARD_LIMIT_MS = 10_000;

/** Puts the agent's folder beside those that are there. What arrived in part or damaged does not stay. */
export async function uploadAgent(request: HostRequest, upload: UploadedAgent): Promise<void> {
  const paths = hostPaths(request.owner);
  const { bundle } = upload;
  try {
    await mustPutOnHost(request, prepareUploadScript(paths), `making ${AGENTS_DIR}`);
    await send(request, upload);
    const folder = `${AGENTS_DIR}/${folderName(bundle.digest)}`;
    const result = await putOnHost(request, acceptUploadScript(paths, { ...bundle, folder }));
    if (result.exitCode === CANNOT_RUN)
      throw new HostProblemError(
        'agent-failed',
        true,
        `${request.hostname}: the agent cannot be run from ${AGENTS_DIR} (${wordsOf(result)}). ` +
          'See that programs may be run from that file system, and that no policy forbids it',
      );
    if (result.exitCode !== 0) throw uploadFailed(request, wordsOf(result));
  } catch (error) {
    await discard(request);
    throw error;
  }
}

/** Also when the call is no longer wanted, and then without waiting. What the next call finds it removes too. */
async function discard(request: HostRequest): Promise<void> {
  const signal = AbortSignal.timeout(DISCARD_LIMIT_MS);
  const discarding = runRootScript({ ...request, signal }, discardUploadScript(hostPaths(request.owner))).catch(
    () => undefined,
  );
  if (!request.signal.aborted) await discarding;
}

/** Unpacked as it arrives, so that the host need not have room for the archive too. */
async function send(request: HostRequest, { bundle, uid, onPercent }: UploadedAgent): Promise<void> {
  const { connection, signal, owner } = request;
  const become = uid === 0 ? '' : 'sudo -n ';
  const archive = bundle.open();
  const counted = archive.pipe(countBytes(bundle.sizeBytes, onPercent));
  archive.once('error', (error) => counted.destroy(error));
  try {
    const command = `${become}tar -xzf - -C ${incomingFolder(hostPaths(owner))}`;
    const result = await connection.exec(command, { signal, stdin: counted });
    if (result.exitCode === 0) return;
    const words = wordsOf(result);
    if (/no space left/i.test(words))
      throw new HostProblemError(
        'disk-full',
        true,
        `${request.hostname}: the disk filled up while the agent was put into ${AGENTS_DIR}: free some space there`,
      );
    throw uploadFailed(request, words);
  } finally {
    archive.destroy();
    counted.destroy();
  }
}

function uploadFailed({ hostname }: HostRequest, words: string): HostProblemError {
  return new HostProblemError('upload-failed', false, `${hostname}: the agent could not be put on the host: ${words}`);
}

function countBytes(total: number, onPercent: (percent: number) => void): Transform {
  let sent = 0;
  let told = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      const percent = Math.min(100, Math.floor((sent / Math.max(1, total)) * 100));
      if (percent !== told) onPercent(percent);
      told = percent;
      done(null, chunk);
    },
  });
}
