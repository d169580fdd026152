import preset from '../../jest.preset.mjs';

export default preset('test-hosts', { testTimeout: 90_000 });
