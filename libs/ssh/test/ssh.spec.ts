import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isForbidden, openSshConnection, SshError, type SshConnection, type SshTarget } from '../src/index.js';
import { freePort, hasSshd, makeKey, startSshd, type Sshd } from './sshd.js';

const withSshd = hasSshd ? describe : describe.skip;

withSshd('an SSH connection', () => {
  let sshd: Sshd;
  const opened: SshConnection[] = [];
  const signal = AbortSignal.timeout(100_000);
  const open = async (target: SshTarget = sshd.target): Promise<SshConnection> => {
    const connection = await openSshConnection(target, { signal });
    opened.push(connection);
    return connection;
  };
  const refusal = async (target: SshTarget): Promise<SshError> => {
    const error: unknown = await open(target).catch((reason: unknown) => reason);
    if (!(error instanceof SshError)) throw new Error(`expected a refusal, got ${String(error)}`);
    return error;
  };
  const newKey = (name: string, passphrase?: string): string => {
    makeKey(join(sshd.directory, name), passphrase);
    return readFileSync(join(sshd.directory, name), 'utf8');
  };

  beforeEach(async () => {
    sshd = await startSshd();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close();
    await sshd.remove();
  });

  it('tells exit code, output and errors of a command apart, and gives it its input', async () => {
    const connection = await open();
    await expect(connection.exec('cat; echo wrong >&2; exit 7', { signal, stdin: 'hello' })).resolves.toEqual({
      exitCode: 7,
      stdout: 'hello',
      stderr: 'wrong\n',
    });
  });

  it('carries 50 MB up without a change', async () => {
    const content = randomBytes(50 * 1024 * 1024);
    const connection = await open();
    const { stdout } = await connection.exec('sha256sum', { signal, stdin: Readable.from([content]) });
    expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('ends a command when it is no longer wanted', async () => {
    const connection = await open();
    const unwanted = new AbortController();
    const running = connection.exec('sleep 1000', { signal: unwanted.signal });
    unwanted.abort(new Error('no longer wanted'));
    await expect(running).rejects.toThrow('no longer wanted');
    await expect(connection.exec('echo still here', { signal })).resolves.toMatchObject({ stdout: 'still here\n' });
  });

  it('carries HTTP to a unix socket and to a port of the host', async () => {
    const server = createServer((_request, response) => response.end('from the agent'));
    const socketPath = join(sshd.directory, 'agent.sock');
    const connection = await open();
    for (const way of ['unix', 'tcp']) {
      await new Promise<void>((resolve) => server.listen(way === 'unix' ? socketPath : 0, resolve));
      const channel =
        way === 'unix'
          ? await connection.openUnix(socketPath)
          : await connection.openTcp('127.0.0.1', (server.address() as AddressInfo).port); // listens on TCP here
      channel.write('GET / HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n');
      await expect(text(channel)).resolves.toMatch(/^HTTP\/1.1 200 OK[^]*from the agent$/);
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('says so when nothing listens on the host', async () => {
    const connection = await open();
    await expect(connection.openUnix('/nowhere.sock')).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(connection.openTcp('127.0.0.1', await freePort())).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('tells a port that nothing listens on from ports that sshd does not forward', async () => {
    const error = (reason: unknown): unknown => reason;
    const closed = await (await open()).openTcp('127.0.0.1', await freePort()).catch(error);
    expect(isForbidden(closed)).toBe(false);
    const strict = await startSshd('AllowTcpForwarding no');
    try {
      const forbidden = await (await open(strict.target)).openTcp('127.0.0.1', await freePort()).catch(error);
      expect([isForbidden(forbidden), forbidden]).toEqual([true, expect.objectContaining({ kind: 'unreachable' })]);
    } finally {
      await strict.remove();
    }
  });

  it('waits for a command on a host that answers nothing any more no longer than is wanted', async () => {
    const connection = await open();
    sshd.freeze();
    await expect(connection.exec('true', { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  });

  it('tries every key', async () => {
    const keys = [newKey('other'), ...sshd.target.privateKeys];
    await expect(open({ ...sshd.target, privateKeys: keys })).resolves.toBeDefined();
  });

  it('goes through a jump host with keys and pins of its own', async () => {
    const behind = await startSshd();
    try {
      const direct = await open(behind.target);
      const connection = await open({ ...behind.target, jump: sshd.target });
      expect(connection.hostKey).toBe(direct.hostKey);
      expect(connection.jumpHostKey).toBe((await open()).hostKey);
      await expect(connection.exec('echo $SSH_CONNECTION', { signal })).resolves.toMatchObject({ exitCode: 0 });
    } finally {
      await behind.remove();
    }
  });

  it('accepts the pinned host key and refuses another, before any login', async () => {
    const { hostKey } = await open();
    const pinned = { ...sshd.target, pinnedHostKey: hostKey };
    await expect(open(pinned)).resolves.toBeDefined();
    await sshd.kill();
    sshd.replaceHostKey();
    await sshd.start();
    const error = await refusal(pinned);
    expect(error.kind).toBe('host-key-changed');
    expect(error.message.match(/SHA256:/g)).toHaveLength(2);
    await expect(refusal({ ...sshd.target, jump: pinned })).resolves.toMatchObject({ kind: 'host-key-changed' });
  });

  it('tells what is wrong with keys, users and addresses, and never shows a key', async () => {
    const locked = newKey('locked', 'secret words');
    const cases: [SshTarget, SshError['kind'], RegExp][] = [
      [{ ...sshd.target, privateKeys: [newKey('stranger')] }, 'auth-refused', /authorized_keys/],
      [{ ...sshd.target, privateKeys: [locked] }, 'bad-key', /passphrase/],
      [{ ...sshd.target, privateKeys: ['what is this'] }, 'bad-key', /not an RSA, ECDSA or Ed25519/],
      [{ ...sshd.target, privateKeys: [] }, 'bad-key', /identity_file/],
      [{ ...sshd.target, port: await freePort() }, 'unreachable', /refused the connection/],
      [{ ...sshd.target, host: 'no-such-host.invalid' }, 'unreachable', /cannot be resolved/],
      [{ ...sshd.target, jump: { ...sshd.target, port: await freePort() } }, 'jump-failed', /refused the connection/],
    ];
    for (const [target, kind, pattern] of cases) {
      const error = await refusal(target);
      expect([error.kind, error.message]).toEqual([kind, expect.stringMatching(pattern)]);
      expect(error.message).not.toContain('PRIVATE');
      expect(error.message).not.toContain('what is this');
    }
  });

  it('gives up on a host that accepts and says nothing', async () => {
    const held: Socket[] = [];
    const silent = createTcpServer((socket) => held.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // a TCP server that listens has one
    const failed = openSshConnection({ ...sshd.target, port }, { signal, connectTimeoutMs: 200 });
    await expect(failed).rejects.toMatchObject({ kind: 'timeout' });
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('tells that it is gone, to whoever uses it then too', async () => {
    const connection = await open();
    const running = connection.exec('sleep 1000', { signal }).catch((error: unknown) => error);
    await sshd.kill();
    await expect(connection.closed).resolves.toMatchObject({ kind: 'disconnected' });
    await expect(running).resolves.toMatchObject({ kind: 'disconnected' });
    await expect(connection.openTcp('127.0.0.1', 1)).rejects.toMatchObject({ kind: 'disconnected' });
  });

  it('closes without waiting for a host that answers nothing any more', async () => {
    const connection = await open();
    sshd.freeze();
    connection.close();
    await expect(connection.closed).resolves.toBeNull();
  });

  it('closes without an error when asked to', async () => {
    const connection = await open();
    connection.close();
    await expect(connection.closed).resolves.toBeNull();
  });
});
