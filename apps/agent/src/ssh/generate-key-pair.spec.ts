import ssh2 from 'ssh2';
import { generateKeyPair } from './generate-key-pair.js';

it('every pair can be read back', () => {
  // Of ssh2's own keys some would fail here with a probability of 99.96 %.
  const problems = Array.from({ length: 2000 }, () => ssh2.utils.parseKey(generateKeyPair().private)).filter(
    (key) => key instanceof Error,
  );
  expect(problems).toEqual([]);
});
