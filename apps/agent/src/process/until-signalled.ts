/** Resolves when somebody asks this process to end. */
export function untilSignalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
      process.on(signal, () => {
        resolve(signal);
      });
    }
    // A closed terminal is no reason to leave jobs alone.
    process.on('SIGHUP', () => undefined);
  });
}
