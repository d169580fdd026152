import { expect, it } from '@jest/globals';
import ssh2 from 'ssh2';
import { generateKeyPair } from './generate-key-pair.js';

it('every pair can be read, and its halves belong together', () => {
  // Of ssh2's own pairs some would fail here with a probability of 99.96 %.
  for (let count = 0; count < 2000; count += 1) {
    const { publicKey, privateKey } = generateKeyPair('dstack');
    const halves = [ssh2.utils.parseKey(publicKey), ssh2.utils.parseKey(privateKey)].map((key) =>
      key instanceof Error ? key.message : key.getPublicSSH().toString('base64'),
    );
    expect(halves[0]).toBe(halves[1]);
  }
});
