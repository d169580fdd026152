import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPaths } from './host-paths.js';
import { environmentFile, supervisorOf } from './supervisor.js';

const paths = hostPaths('5f0c9a1e-2d3b');
const agent = { paths, arch: 'x86', systemd: true, uid: 0 } as const;

describe('what keeps the agent running', () => {
  it('is a unit that leaves jobs alone and never gives up', () => {
    const { kind, file } = supervisorOf(agent);
    expect([kind, file.path]).toEqual(['systemd', '/etc/systemd/system/dstack-agent-5f0c9a1e.service']);
    for (const line of ['Restart=always', 'RestartSec=3', 'KillMode=process', 'StartLimitIntervalSec=0'])
      expect(file.text).toContain(`\n${line}\n`);
    expect(file.text).not.toContain('--socket-user');
  });

  it('lets the user who logs in use the socket', () => {
    expect(supervisorOf({ ...agent, uid: 1000 }).file.text).toContain(' --socket-user 1000\n');
  });

  it('has another mark when it is another', () => {
    const marks = [agent, { ...agent, uid: 1000 }, { ...agent, arch: 'arm' as const }].map(
      (each) => supervisorOf(each).file.mark,
    );
    expect(new Set(marks).size).toBe(3);
    expect(supervisorOf(agent).file.text).toContain(`# dstack-mark: ${marks[0]}\n`);
  });

  const verifier = '/usr/bin/systemd-analyze';
  (existsSync(verifier) ? it : it.skip)('is a unit that systemd understands', () => {
    const directory = mkdtempSync(join(tmpdir(), 'dstack-unit-'));
    try {
      const unit = join(directory, paths.unit);
      // The program need not be here; all else is as on a host.
      const text = supervisorOf(agent).file.text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/sh');
      writeFileSync(unit, text);
      const { status, stdout, stderr } = spawnSync(verifier, ['verify', unit], { encoding: 'utf8' });
      expect([status, stdout, stderr.split('\n').filter((line) => line.includes(paths.unit))]).toEqual([0, '', []]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('the environment of the agent', () => {
  it('means in sh what was given', () => {
    const env = { PLAIN: 'x', PROXY: 'http://u:p$w"d`\\@proxy:1/', QUOTES: `'a' "b"`, LINES: 'one\ntwo', EMPTY: '' };
    const { text } = environmentFile(paths, env);
    const script = `set -a\n${text}\nexec env -0`;
    const seen = execFileSync('sh', ['-c', script], { env: {}, encoding: 'utf8' }).split('\0');
    for (const [name, value] of Object.entries(env)) expect(seen).toContain(`${name}=${value}`);
  });

  it('is refused when a name is none', () => {
    expect(() => environmentFile(paths, { 'A;B': 'x' })).toThrow("'A;B' is not a name");
  });
});

it.each(['short', '../../etc-and-more', '5f0c9a1'])("'%s' names no installation", (owner) => {
  expect(() => hostPaths(owner)).toThrow(RangeError);
});
