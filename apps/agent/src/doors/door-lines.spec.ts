import { canLimitListening, type Door, doorLines, plainKey } from './door-lines.js';

const ALICE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfN0hCGKtbZ5lKmzXV5Lxog0B1J0Zq3rTz3cQhXy0aa';
const BOB = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXgYjlK1yP3xWhO5Jx+IWlwFO+7RaPvZac0nYifDTb6';

const lines = (...doors: Door[]): string => doorLines(doors, { canLimitListening: false });

describe('the lines that lead through a host to jobs', () => {
  it('open the job’s port, and no command', () => {
    expect(lines({ keys: [`${ALICE} me@home`, ALICE], port: 2222 })).toMatch(
      new RegExp(
        '^restrict,port-forwarding,command="exit 1",permitopen="localhost:2222",permitopen="127.0.0.1:2222" ' +
          `${ALICE.replaceAll('+', '\\+')}\n$`,
      ),
    );
  });

  it('let nobody listen, where the server can be told so', () => {
    expect(doorLines([{ keys: [ALICE], port: 2222 }], { canLimitListening: true })).toContain(
      ',permitlisten="127.0.0.1:1" ssh-',
    );
  });

  it('are one for each key, with all of its jobs', () => {
    const text = lines(
      { keys: [ALICE], port: 2222 },
      { keys: [ALICE, BOB], port: 3333 },
      { keys: [ALICE], port: 4444 },
    );
    const [alice = '', bob = '', ...rest] = text.split('\n');
    for (const port of [2222, 3333, 4444]) expect(alice).toContain(`permitopen="localhost:${port}"`);
    expect(bob).toContain(`permitopen="localhost:3333"`);
    expect(bob).not.toContain('2222');
    expect(rest).toEqual(['']);
  });

  it('are none without doors', () => {
    expect(lines()).toBe('');
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
    expect(lines({ keys: [text], port: 2222 })).toBe('');
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
