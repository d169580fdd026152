import * as net from 'node:net';
import ssh2 from 'ssh2';
import { type JumpOptions, type RunningJump, startJumpServer } from '../../src/jump/jump-server.js';
import { generateKeyPair } from '../../src/ssh/generate-key-pair.js';
import { parseAuthorizedKeys } from '../../src/ssh/authorized-keys.js';

const friend = generateKeyPair();
const stranger = generateKeyPair();

/** An SSH server, as the agent of a pod is one, which lets the friend in and says hello to whoever comes in. */
async function startPod(): Promise<{ port: number; logins: () => number; close: () => void }> {
  let logins = 0;
  const [known] = parseAuthorizedKeys([friend.public]);
  const server = new ssh2.Server({ hostKeys: [generateKeyPair().private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method === 'publickey' && context.key.data.equals(known?.getPublicSSH() ?? Buffer.alloc(0)))
        context.accept();
      else context.reject(['publickey']);
    });
    client.on('ready', () => (logins += 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, logins: () => logins, close: () => server.close() }; // TCP
}

describe('the way to pods', () => {
  let pod: Awaited<ReturnType<typeof startPod>>;
  let jump: RunningJump;
  const open: ssh2.Client[] = [];

  const start = (options: Partial<JumpOptions> = {}): Promise<RunningJump> =>
    startJumpServer({
      hostKey: generateKeyPair().private,
      listen: { host: '127.0.0.1', port: 0 },
      targetPort: pod.port,
      now: Date.now,
      ...options,
    });
  const login = (privateKey: string): Promise<ssh2.Client> =>
    new Promise((resolve, reject) => {
      const client = new ssh2.Client();
      open.push(client);
      client.on('ready', () => resolve(client));
      client.on('error', reject);
      client.connect({ host: '127.0.0.1', port: jump.port, username: 'root', privateKey });
    });
  const through = (client: ssh2.Client, port: number): Promise<ssh2.ClientChannel> =>
    new Promise((resolve, reject) => {
      client.forwardOut('', 0, '127.0.0.1', port, (error, channel) => (error ? reject(error) : resolve(channel)));
    });

  beforeEach(async () => {
    pod = await startPod();
    jump = await start();
  });
  afterEach(async () => {
    for (const client of open.splice(0)) client.destroy();
    await jump.close();
    pod.close();
  });

  it('leads those whom the pod lets in, who then log in there', async () => {
    const channel = await through(await login(friend.private), pod.port);
    const inner = new ssh2.Client();
    open.push(inner);
    await new Promise((resolve, reject) => {
      inner.on('ready', () => resolve(undefined));
      inner.on('error', reject);
      inner.connect({ sock: channel, username: 'root', privateKey: friend.private });
    });
    expect(pod.logins()).toBe(1);
  });

  it('turns away whom the pod would not let in', async () => {
    await expect(through(await login(stranger.private), pod.port)).rejects.toThrow();
  });

  it('does not log in to the pod by asking', async () => {
    await through(await login(friend.private), pod.port);
    expect(pod.logins()).toBe(0);
  });

  it('leads to no other port, and says the same where nothing listens', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    await expect(through(await login(friend.private), (other.address() as net.AddressInfo).port)).rejects.toThrow(); // TCP
    other.close();
    pod.close();
    await expect(through(await login(friend.private), pod.port)).rejects.toThrow();
  });

  it('has no shell, runs no commands and forwards nothing back', async () => {
    const client = await login(friend.private);
    await expect(new Promise((resolve, reject) => client.exec('id', (error) => (error ? reject(error) : resolve(0))))).rejects.toThrow(); // prettier-ignore
    await expect(new Promise((resolve, reject) => client.forwardIn('', 0, (error) => (error ? reject(error) : resolve(0))))).rejects.toThrow(); // prettier-ignore
    await expect(
      new Promise((resolve, reject) =>
        client.openssh_forwardOutStreamLocal('/run/dstack/job/job.sock', (error) =>
          error ? reject(error) : resolve(0),
        ),
      ),
    ).rejects.toThrow();
  });

  it('asks again when a minute has passed, and after a refusal', async () => {
    await jump.close();
    let now = 0;
    let answers = [false, true, false];
    const asked: number[] = [];
    jump = await start({
      now: () => now,
      asks: async () => {
        asked.push(now);
        return answers.shift() ?? false;
      },
    });
    const client = await login(friend.private);
    await expect(through(client, pod.port)).rejects.toThrow();
    await through(client, pod.port);
    now = 59_000;
    await through(client, pod.port);
    now = 61_000;
    await expect(through(client, pod.port)).rejects.toThrow();
    expect(asked).toEqual([0, 0, 61_000]);
    answers = [];
  });
});
