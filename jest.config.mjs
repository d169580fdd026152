import { globSync } from 'node:fs';

/** Every package's tests in one run (`npx nx test <package>` runs one). */
export default {
  // Only the root's counts in a run of several projects: the longest story with real processes takes a minute on two cores.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/ci/spec-order/longest-first.mjs',
  projects: globSync('{apps,libs,libs/backends,tools}/*/jest.config.mjs', { cwd: import.meta.dirname }).map(
    (path) => `<rootDir>/${path.replace('/jest.config.mjs', '')}`,
  ),
};
