import { canLimitListening, changeDoors, type Door, plainKey } from './door-lines.js';

const ALICE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfN0hCGKtbZ5lKmzXV5Lxog0B1J0Zq3rTz3cQhXy0aa';
const BOB = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXgYjlK1yP3xWhO5Jx+IWlwFO+7RaPvZac0nYifDTb6';
const FIRST: Door = { jobId: 'job-1', agentId: 'agent-1', port: 2222 };
const SECOND: Door = { jobId: 'job-2', agentId: 'agent-1', port: 3333 };
const FOREIGN: Door = { jobId: 'job-3', agentId: 'agent-2', port: 4444 };
const rules = { canLimitListening: false };

const open = (content: string, door: Door, ...keys: string[]): string =>
  changeDoors(content, rules, { isKept: ({ jobId }) => jobId !== door.jobId, keys, door });
const close = (content: string, jobId: string): string =>
  changeDoors(content, rules, { isKept: (door) => door.jobId !== jobId });

describe('the lines that lead through a host to jobs', () => {
  it('open the job’s port, and no command', () => {
    expect(open('', FIRST, `${ALICE} me@home`, ALICE)).toMatch(
      new RegExp(
        '^restrict,port-forwarding,command="[^"]*exit 1",permitopen="localhost:2222",permitopen="127.0.0.1:2222" ' +
          `${ALICE.replaceAll('+', '\\+')} dstack-job-job-1=2222@agent-1\n$`,
      ),
    );
  });

  it('let nobody listen, where the server can be told so', () => {
    const change = { isKept: () => true, keys: [ALICE], door: FIRST };
    expect(changeDoors('', { canLimitListening: true }, change)).toContain(',permitlisten="127.0.0.1:1" ssh-');
  });

  it('are one for each key, whoever else lets it through', () => {
    const three = open(open(open('', FIRST, ALICE), SECOND, ALICE, BOB), FOREIGN, ALICE);
    const [alice = '', bob = ''] = three.split('\n');
    for (const port of [2222, 3333, 4444]) expect(alice).toContain(`permitopen="localhost:${port}"`);
    expect(bob).not.toContain('2222');
    const two = close(three, 'job-2');
    expect(two).not.toContain('3333');
    expect(two.trimEnd().split('\n')).toHaveLength(1);
    expect(close(close(two, 'job-1'), 'job-3')).toBe('');
  });

  it('follow a job to another port', () => {
    expect(open(open('', FIRST, ALICE), { ...FIRST, port: 5555 }, ALICE)).not.toContain('2222');
  });

  it('leave every other byte of the file as it is', () => {
    const others = `# mine\nssh-rsa AAAA me\xff\r\n\n  ${ALICE} dstack-job-x not ours\nno newline`;
    const opened = open(others, FIRST, ALICE);
    expect(opened.startsWith(`${others}\nrestrict,`)).toBe(true);
    expect(close(opened, 'job-1')).toBe(`${others}\n`);
    expect(open(others, FIRST)).toBe(others);
  });

  it.each([
    ['its comment', `${ALICE} a comment, "quoted"`, ALICE],
    ['the newline of a .pub file', `${ALICE} me\n`, ALICE],
  ])('take a key without %s', (_what, text, expected) => {
    expect(plainKey(text)).toBe(expected);
  });

  it.each([
    ['options', `command="sh" ${ALICE}`],
    ['a second line', `${ALICE} x\n${ALICE} y`],
    ['a second line behind a carriage return', `${ALICE} x\r${ALICE}`],
    ['the blob of another type', ALICE.replace('ssh-ed25519', 'ssh-rsa')],
    ['a blob that is none', 'ssh-ed25519 AAAA'],
    ['nothing', ''],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ])('skip a key with %s', (_what, text) => {
    expect(plainKey(text)).toBeUndefined();
    expect(open('', FIRST, text)).toBe('');
  });
});

it.each([
  ['OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19', true],
  ['OpenSSH_7.8p1', true],
  ['OpenSSH_7.4p1, OpenSSL 1.0.2k-fips', false],
  ['OpenSSH_10.0p2', true],
  ['ssh: not found', false],
])('%s can limit who listens: %s', (version, expected) => {
  expect(canLimitListening(version)).toBe(expected);
});
