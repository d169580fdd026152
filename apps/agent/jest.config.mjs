import preset from '../../jest.preset.mjs';

export default preset('agent', { globalSetup: '<rootDir>/test/support/build.mjs' });
