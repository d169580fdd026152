import preset from '../../jest.preset.mjs';

export default preset('bench', { testTimeout: 120_000 });
