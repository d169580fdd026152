import type { ImageInspectInfo } from 'dockerode';
import type { JobContext } from '../job/job-context.js';

/** Variables that would change how the agent itself starts. An image may set them for its own programs. */
const HARMFUL_TO_THE_AGENT: ReadonlySet<string> = new Set(['LD_PRELOAD', 'LD_AUDIT', 'NODE_OPTIONS']);

/** What the job side must know of the image it runs in, as the container itself is started with the agent's own user and command. */
export function imageContext(image: Pick<ImageInspectInfo, 'Config'>, isBridged: boolean): JobContext {
  // The engine says null where the types promise a value, for images made by import.
  const config: Nullable<ImageInspectInfo['Config']> = image.Config;
  return {
    runtime: 'container',
    defaultWorkingDir: config.WorkingDir || '/',
    publicDir: '/dstack',
    restoredEnv: shieldedVariables(config.Env ?? []),
    isBridged,
    ...(config.User ? { imageUser: config.User } : {}),
    imageCommand: [...toList(config.Entrypoint), ...toList(config.Cmd)],
    exitWhenFinished: true,
  };
}

/** Emptied for the agent, and given back to the job's commands. */
export function shieldedVariables(imageEnv: readonly string[]): Record<string, string> {
  const pairs = imageEnv.map((entry) => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => HARMFUL_TO_THE_AGENT.has(name)));
}

type Nullable<T> = { readonly [K in keyof T]?: T[K] | null };

function toList(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
