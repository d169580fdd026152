import preset from '../../jest.preset.mjs';

export default preset('mutations', { testTimeout: 120_000 });
