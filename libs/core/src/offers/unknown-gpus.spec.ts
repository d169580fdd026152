import { unknownGpus } from './unknown-gpus.js';

describe('GPU names that nobody knows', () => {
  it.each([
    [['H1000'], ['no GPU called H1000 is known, did you mean H100?']],
    [['nvdia'], ['no GPU called nvdia is known, did you mean nvidia?']],
    [['rtx409O'], ['no GPU called rtx409O is known, did you mean RTX4090?']],
    [['a100', 'Voodoo2000'], ['no GPU called Voodoo2000 is known']],
    [['h100', 'MI300X', 'v5litepod-8', 'Gaudi2'], []],
    [null, []],
  ])('%j', (name, told) => {
    expect(unknownGpus({ name }).map(({ text }) => text)).toEqual(told);
  });

  it('are none where any GPU will do', () => {
    expect(unknownGpus(null)).toEqual([]);
  });
});
