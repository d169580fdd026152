import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import ssh2 from 'ssh2';
import { generateKeyPair } from './generate-key-pair.js';

it('every pair can be read, and its halves belong together', () => {
  // A leading zero that is lost in one of 256 would show here with a probability of 99.96 %.
  for (let count = 0; count < 2000; count += 1) {
    const { publicKey, privateKey } = generateKeyPair('dstack');
    const halves = [ssh2.utils.parseKey(publicKey), ssh2.utils.parseKey(privateKey)].map((key) =>
      key instanceof Error ? key.message : key.getPublicSSH().toString('base64'),
    );
    expect(halves[0]).toBe(halves[1]);
  }
});

it.each(['', 'dstack', 'a comment with spaces'])('OpenSSH reads the private half, and its comment: «%s»', (comment) => {
  const folder = mkdtempSync(join(tmpdir(), 'dstack-key-'));
  try {
    const { publicKey, privateKey } = generateKeyPair(comment);
    const file = join(folder, 'key');
    writeFileSync(file, privateKey, { mode: 0o600 });
    const told = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' });
    expect(told.trim()).toBe(publicKey.trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
