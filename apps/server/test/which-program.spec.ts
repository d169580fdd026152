import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

describe('which program starts', () => {
  let work: string;
  const at = (path: string): string => join(work, 'apps/server', path);
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

  it('is the bundle when it is younger than all it was made of', () => {
    file('dist/tsconfig.lib.tsbuildinfo', '', 4);
    file('../../node_modules/.package-lock.json', '{}', 4);
    file('bundle/main.js', says('bundle'), 5);
    expect(started()).toBe('bundle');
  });

  it.each(['dist/tsconfig.lib.tsbuildinfo', '../../node_modules/.package-lock.json'])(
    'is the build when %s is younger than the bundle',
    (path) => {
      file('bundle/main.js', says('bundle'), 5);
      file(path, '', 6);
      expect(started()).toBe('build');
    },
  );
});
