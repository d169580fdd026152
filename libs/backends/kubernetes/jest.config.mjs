import preset from '../../../jest.preset.mjs';

export default preset('backend-kubernetes');
