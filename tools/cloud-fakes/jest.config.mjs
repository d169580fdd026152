import preset from '../../jest.preset.mjs';

export default preset('cloud-fakes', { testTimeout: 120_000 });
