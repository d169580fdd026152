import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withProject } from '../src/client-config/client-config.js';
import { changeClientConfig, clientConfigPath, readClientConfig } from '../src/client-config/client-config-file.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dstack-cli-test-'));
  mkdirSync(join(home, '.dstack'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const add = (name: string): Promise<void> =>
  changeClientConfig(home, (config) => withProject(config, { name, url: 'http://a', token: 't' }));
const names = async (): Promise<string[]> => (await readClientConfig(home)).projects.map(({ name }) => name).sort();

describe('the client configuration file', () => {
  it('is readable by its owner only, and read back as written', async () => {
    await add('main');
    expect(statSync(clientConfigPath(home)).mode & 0o777).toBe(0o600);
    expect((await readClientConfig(home)).projects).toEqual([
      { name: 'main', url: 'http://a', token: 't', default: true },
    ]);
  });

  it('keeps what several commands add at a time, and leaves nothing else beside it', async () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(all.map(add));
    expect(await names()).toEqual(all);
    expect(readdirSync(join(home, '.dstack'))).toEqual(['config.yml']);
  });

  it.each(['', '\n', '# mine\n', '---\n', 'projects:\n'])('%j has no projects', async (text) => {
    writeFileSync(clientConfigPath(home), text);
    expect(await names()).toEqual([]);
    await add('main');
    expect(await names()).toEqual(['main']);
  });

  it('keeps what else is in it', async () => {
    writeFileSync(clientConfigPath(home), 'repos:\n  - path: /work\nprojects: []\n');
    await add('main');
    expect(readFileSync(clientConfigPath(home), 'utf8')).toContain('path: /work');
  });

  it('stays where a link leads to it', async () => {
    const elsewhere = join(home, 'dotfiles.yml');
    writeFileSync(elsewhere, 'projects: []');
    symlinkSync(elsewhere, clientConfigPath(home));
    await add('main');
    expect(lstatSync(clientConfigPath(home)).isSymbolicLink()).toBe(true);
    expect(readFileSync(elsewhere, 'utf8')).toContain('name: main');
    expect(statSync(elsewhere).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['understood', (path: string) => writeFileSync(path, 'projects: ['), 'no valid YAML'],
    ['understood', (path: string) => writeFileSync(path, '- main'), 'no configuration of the CLI'],
    ['read', (path: string) => mkdirSync(path), 'Cannot read'],
  ])('is never replaced when it cannot be %s', async (_why, make, problem) => {
    make(clientConfigPath(home));
    await expect(readClientConfig(home)).rejects.toThrow(problem);
    await expect(add('main')).rejects.toThrow();
    expect(readdirSync(join(home, '.dstack'))).toEqual(['config.yml']);
  });
});
