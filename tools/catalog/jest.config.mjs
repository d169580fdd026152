import preset from '../../jest.preset.mjs';

export default preset('catalog-tools', { testTimeout: 120_000 });
