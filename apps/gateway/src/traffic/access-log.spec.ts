import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog } from './access-log.js';

let folder: string;
let path: string;
let log: AccessLog;
let counted: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dstack-access-log-'));
  path = join(folder, 'access.log');
  counted = [];
  log = new AccessLog(path, ({ host }) => counted.push(host));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lineOf = (host: string): string =>
  `{"time":"2026-01-01T00:00:00+00:00","host":"${host}","client":"127.0.0.1","method":"GET","path":"/","status":200,"bytes":17,"seconds":0.012,"tunnel":"t"}\n`;
const write = (...hosts: string[]): void => appendFileSync(path, hosts.map(lineOf).join(''));
const rotate = (number: number): string => {
  const to = `${path}.${number}`;
  renameSync(path, to);
  return to;
};

it('counts a line once, and when it is whole', async () => {
  write('before');
  await log.start();
  const half = lineOf('b');
  appendFileSync(path, lineOf('a') + half.slice(0, 50));
  await Promise.all([log.read(), log.read()]);
  expect(counted).toEqual(['a']);
  appendFileSync(path, half.slice(50));
  await log.read();
  expect(counted).toEqual(['a', 'b']);
});

it('waits for a log that is not there yet', async () => {
  await log.start();
  await log.read();
  write('a');
  await log.read();
  expect(counted).toEqual(['a']);
});

it('reads more than fits its buffer', async () => {
  await log.start();
  const many = Array.from({ length: 5_000 }, (_line, number) => `host-${number}`);
  write(...many);
  await log.read();
  expect(counted).toEqual(many);
});

it('goes on in the next log, and in the former one while workers still write to it', async () => {
  await log.start();
  write('a');
  await log.read();
  const former = rotate(1);
  await log.read();
  write('c');
  appendFileSync(former, lineOf('b'));
  await log.read();
  expect(counted).toEqual(['a', 'b', 'c']);
  appendFileSync(former, lineOf('d'));
  await log.read();
  rotate(2);
  write('e');
  await log.read();
  expect(counted).toEqual(['a', 'b', 'c', 'd', 'e']);
});
