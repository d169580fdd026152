import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configureClient } from './client-config.js';

const MAIN = { name: 'main', url: 'http://127.0.0.1:3000', token: 'new' };
const never = () => Promise.reject(new Error('nobody was to be asked'));

describe("the CLI's configuration", () => {
  let folder: string;
  const file = () => join(folder, 'sub', 'config.yml');
  const before = (text: string) => {
    folder = mkdtempSync(join(tmpdir(), 'dstack-client-'));
    const path = join(folder, 'config.yml');
    writeFileSync(path, text);
    return path;
  };
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is written where there is none, as the default', async () => {
    before('');
    expect(await configureClient(file(), MAIN, never)).toEqual({ kind: 'written' });
    expect(readFileSync(file(), 'utf8')).toContain('default: true');
  });

  it.each([
    ['broken YAML', 'projects: [oops\n'],
    ['a text', 'just text\n'],
    ['a list', '- a: b\n'],
    ['projects that are no list', 'projects: {main: x}\n'],
    ['projects that are names', 'projects: [main]\n'],
  ])('is kept byte for byte when it is %s', async (_, text) => {
    const path = before(text);
    expect(await configureClient(path, MAIN, never)).toMatchObject({ kind: 'unreadable' });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each(['', '# mine\n', '---\n'])('is written into %j', async (text) => {
    const path = before(text);
    expect(await configureClient(path, MAIN, never)).toEqual({ kind: 'written' });
    expect(readFileSync(path, 'utf8')).toContain('name: main');
  });

  it('stays where a link leads to it', async () => {
    const elsewhere = before('');
    const path = `${elsewhere}.link`;
    symlinkSync(elsewhere, path);
    expect(await configureClient(path, MAIN, never)).toEqual({ kind: 'written' });
    expect(readFileSync(elsewhere, 'utf8')).toContain('name: main');
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it.each([
    [false, { kind: 'kept', url: 'https://elsewhere' }, 'https://elsewhere'],
    [true, { kind: 'written' }, MAIN.url],
  ])('changes a main that points elsewhere only when agreed: %s', async (agreed, outcome, url) => {
    const path = before(
      'projects:\n  - {name: main, url: "https://elsewhere", token: old}\n  - {name: other, url: u, token: t}\nextra: 1\n',
    );
    expect(await configureClient(path, MAIN, () => Promise.resolve(agreed))).toEqual(outcome);
    const after = readFileSync(path, 'utf8');
    expect(after).toContain(url);
    expect(after).toContain('other');
    expect(after).toContain('extra: 1');
  });
});
