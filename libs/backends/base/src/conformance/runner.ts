interface Runner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly beforeEach: (body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
}

// The globals of the test runner at hand (Jest, Vitest, Mocha with aliases), so that the suite ties nobody to one of them.
export const { describe, it, beforeEach, afterEach } = globalThis as unknown as Runner;
