import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

describe('which program starts', () => {
  let work: string;
  const at = (path: string): string => join(work, path);
  const file = (path: string, text: string, seconds: number): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
    utimesSync(at(path), seconds, seconds);
  };
  const says = (name: string): string => `export const run = () => console.log('${name}');`;
  const started = (): string => execFileSync(process.execPath, [at('bin/main.mjs')], { encoding: 'utf8' }).trim();

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'dstack-which-'));
    mkdirSync(at('bin'), { recursive: true });
    copyFileSync(fileURLToPath(new URL('../bin/main.mjs', import.meta.url)), at('bin/main.mjs'));
    file('package.json', '{"type": "module"}', 1);
    file('dist/main.js', says('build'), 1);
  });
  afterEach(() => rmSync(work, { recursive: true }));

  it('is the build where nothing is bundled', () => {
    expect(started()).toBe('build');
  });

  it('is the bundle in an installed package', () => {
    file('bundle/main.js', says('bundle'), 5);
    expect(started()).toBe('bundle');
  });

  it('is the build after something was built anew', () => {
    file('bundle/main.js', says('bundle'), 5);
    file('dist/tsconfig.lib.tsbuildinfo', '', 6);
    expect(started()).toBe('build');
  });
});
