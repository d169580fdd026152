import preset from '../../../jest.preset.mjs';

export default preset('backend-ssh', {
  testTimeout: 90_000,
  globalSetup: '<rootDir>/test/support/build-agent-folder.mjs',
});
