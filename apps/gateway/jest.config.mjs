import preset from '../../jest.preset.mjs';

export default preset('gateway', { globalSetup: '<rootDir>/test/support/build.mjs', testTimeout: 120_000 });
