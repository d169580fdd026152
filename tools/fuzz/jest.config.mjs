import preset from '../../jest.preset.mjs';

export default preset('fuzz', { testTimeout: 120_000 });
