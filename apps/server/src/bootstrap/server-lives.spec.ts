import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { livesOfDirectory } from './server-lives.js';
import { lockServerDirectory } from './server-lock.js';

let base: string;
let directory: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'dstack-lives-'));
  directory = join(base, 'server');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** A server that had the directory and is gone. */
function live(holder: string, at = directory): void {
  const lock = lockServerDirectory(at, 0);
  livesOfDirectory(at).begin(holder);
  lock.release();
}

it('knows the server that had the directory before', () => {
  live('a');
  live('b');
  expect(livesOfDirectory(directory).former()).toBe('b');
});

it('knows of nobody in a new directory', () => {
  lockServerDirectory(directory, 0).release();
  expect(livesOfDirectory(directory).former()).toBeNull();
});

it('takes the server of a copied directory for alive', () => {
  live('a');
  const copy = join(base, 'copy');
  cpSync(directory, copy, { recursive: true });
  expect(livesOfDirectory(copy).former()).toBeNull();
});

it('takes it for alive when the machine may be another, or what is written is half', () => {
  live('a');
  const path = join(directory, 'server.life.json');
  writeFileSync(path, JSON.stringify({ holder: 'a', lock: '1:2', boot: 'another' }));
  expect(livesOfDirectory(directory).former()).toBeNull();
  writeFileSync(path, '{"holder":"a"');
  expect(livesOfDirectory(directory).former()).toBeNull();
  writeFileSync(path, 'null');
  expect(livesOfDirectory(directory).former()).toBeNull();
});
