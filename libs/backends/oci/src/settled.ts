import { BackendError, type BackendEnvironment, type Call } from '@dstack/backend-base';

/** Looks at something that is being made until it is there, or the call is over. */
export async function settled<T extends { readonly lifecycleState: string }>(
  look: () => Promise<T | null>,
  { wanted, everyMs, what }: { readonly wanted: string; readonly everyMs: number; readonly what: string },
  environment: Pick<BackendEnvironment, 'sleep'>,
  call: Call,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found?.lifecycleState === wanted) return found;
    if (found !== null && /^(DELET|TERMINAT|INACTIVE|FAILED)/.test(found.lifecycleState))
      throw new BackendError({ kind: 'not-found', blocks: 'region' }, `${what} is ${found.lifecycleState}`);
    await environment.sleep(everyMs, call.signal);
  }
}
