import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { PullProgress } from '@dstack/agent-protocol';
import type Docker from 'dockerode';
import { describeEngineError, engineStatus } from './engine-error.js';
import { type ImageName, imageReference, parseImageName, registryOf } from './image-name.js';
import { advancePull, PULL_BEGIN, pullProgress, type PullState } from './pull-progress.js';

export interface PullOptions {
  readonly image: string;
  readonly registryAuth?: { readonly username: string; readonly password: string } | undefined;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly onProgress: (progress: PullProgress) => void;
  readonly log: (line: string) => void;
  /** Default 20 min. */
  readonly limitMs?: number;
}

export class PullError extends Error {
  override readonly name = 'PullError';
}

const DEFAULT_LIMIT_MS = 20 * 60_000;
/** Every step of a job's state is written to disk; an engine tells of its progress a hundred times a second. */
const PROGRESS_EVERY_MS = 1000;

/** Makes sure the engine has the image, and gives the name to make containers from. @throws {PullError} */
export async function pullImage(docker: Docker, options: PullOptions): Promise<string> {
  const name = parseImageName(options.image);
  const reference = imageReference(name);
  const isPresent = await hasImage(docker, reference);
  if (isPresent && !name.moves) {
    options.log(`image ${reference} is on this host already`);
    return reference;
  }
  options.log(`pulling image ${reference}`);
  const startedAt = options.now();
  try {
    const status = await pull(docker, name, options);
    options.log(`${status} (${((options.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (options.signal.aborted || !isPresent || !isUnreachable(message)) throw error;
    options.log(`the registry cannot be reached, going on with the copy of ${reference} on this host: ${message}`);
  }
  return reference;
}

export async function hasImage(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).inspect();
    return true;
  } catch (error) {
    if (engineStatus(error) === 404) return false;
    throw error;
  }
}

async function pull(docker: Docker, name: ImageName, options: PullOptions): Promise<string> {
  const limitMs = options.limitMs ?? DEFAULT_LIMIT_MS;
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([limit, options.signal]);
  const startedAt = options.now();
  let state = PULL_BEGIN;
  try {
    const auth = options.registryAuth && { ...options.registryAuth, serveraddress: registryOf(name) };
    const query = { fromImage: name.repository, tag: name.reference, abortSignal: signal };
    const stream = await (auth === undefined ? docker.createImage(query) : docker.createImage(auth, query));
    let toldAt = 0;
    for await (const line of readLines(stream, signal)) {
      state = advancePull(state, line);
      const now = options.now();
      if (now - toldAt < PROGRESS_EVERY_MS) continue;
      toldAt = now;
      options.onProgress(pullProgress(state));
    }
    signal.throwIfAborted();
    if (state.error !== undefined) throw new Error(state.error);
    if (state.finalStatus === undefined) throw new Error('the engine broke off the pull');
    options.onProgress(pullProgress(state));
    return state.finalStatus;
  } catch (error) {
    if (options.signal.aborted) throw new PullError(`the pull of ${imageReference(name)} was cancelled`);
    const reason = limit.aborted ? `it took more than ${Math.round(limitMs / 60_000)} min` : describeEngineError(error);
    const done = describeAmount(state, (options.now() - startedAt) / 1000);
    throw new PullError(`cannot pull image ${imageReference(name)}: ${reason}${done}`, { cause: error });
  }
}

async function* readLines(stream: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<string> {
  const source = stream instanceof Readable ? stream : Readable.from(stream);
  const onAbort = (): void => {
    source.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const line of createInterface({ input: source })) yield line;
  } finally {
    signal.removeEventListener('abort', onAbort);
    source.destroy();
  }
}

function describeAmount(state: PullState, seconds: number): string {
  const { downloadedBytes, totalBytes, isTotalFinal } = pullProgress(state);
  if (downloadedBytes === 0) return '';
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const total = isTotalFinal ? ` of ${megabytes(totalBytes)}` : '';
  return ` (downloaded ${megabytes(downloadedBytes)}${total}, ${megabytes(downloadedBytes / Math.max(seconds, 0.001))}/s)`;
}

/** The registry never answered, or is broken itself; not one that answered "no". */
export function isUnreachable(message: string): boolean {
  return /no such host|i\/o timeout|connection (refused|reset)|Client\.Timeout|TLS handshake timeout|network is unreachable|no route to host|deadline exceeded|server misbehaving|Temporary failure in name resolution|unexpected EOF|: EOF$|50[0234] |Service Unavailable|Bad Gateway|Gateway Time-?out/i.test(
    message,
  );
}
