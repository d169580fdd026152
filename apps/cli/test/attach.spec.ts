import { type AddressInfo, createServer, type Server } from 'node:net';
import { ConnectionError, type Wire } from '@dstack/sdk';
import { patiently } from '../src/apply/patiently.js';
import { hostEntries, isOnThisMachine } from '../src/ssh/host-entries.js';
import { reservePorts } from '../src/ssh/reserve-ports.js';
import { withHosts, withoutHolders } from '../src/ssh/ssh-config-blocks.js';
import { tunnelProblem } from '../src/ssh/tunnel-problem.js';
import { job, provisioned, submission } from './builders.js';

const runtime = (changes: Partial<Wire.JobRuntimeData>) => ({ network_mode: 'host' as const, ...changes });
const runningOn = (machine: Partial<Wire.JobProvisioningData>, data: Partial<Wire.JobRuntimeData> = {}) =>
  job(submission({ status: 'running', job_provisioning_data: provisioned(machine), job_runtime_data: runtime(data) }));

describe('the names of a job for ssh', () => {
  it('lead through the host, and the jump host before it, into the container', () => {
    const at = runningOn(
      { ssh_proxy: { hostname: 'head', port: 2222, username: 'jump' } },
      { ports: { '10022': 40_001 }, username: 'ada' },
    );
    expect(hostEntries('train', at)).toEqual([
      { alias: 'train-jump-host', hostName: 'head', port: 2222, user: 'jump' },
      { alias: 'train-host', hostName: '203.0.113.7', port: 22, user: 'ubuntu', proxyJump: 'train-jump-host' },
      { alias: 'train', hostName: 'localhost', port: 40_001, user: 'ada', proxyJump: 'train-host' },
    ]);
  });

  it('are one on the server itself', () => {
    const at = runningOn({ hostname: '127.0.0.1', dockerized: false, ssh_port: 40_002 }, { username: '1001' });
    expect(hostEntries('train', at)).toEqual([{ alias: 'train', hostName: '127.0.0.1', port: 40_002, user: '1001' }]);
  });
});

describe('the SSH configuration', () => {
  const entry = { alias: 'train', hostName: 'h', port: 22, user: 'u' };
  const foreign = 'Host old-run\n    HostName h\n';

  it('has a block ssh understands, beside those of others', () => {
    const text = withHosts(foreign, [entry, { ...entry, alias: 'train-host', proxyJump: 'x' }], '/key', 7);
    expect(text).toContain(
      'Host train\n    # attached: 7\n    HostName h\n    Port 22\n    User u\n    IdentityFile "/key"',
    );
    expect(text).toContain('ProxyJump x');
    expect(text.startsWith(foreign)).toBe(true);
  });

  it('keeps a name while anybody is attached, with the newest address', () => {
    const two = withHosts(withHosts(foreign, [entry], '/key', 7), [{ ...entry, port: 23 }], '/key', 8);
    expect(two.match(/Host train/g)).toHaveLength(1);
    const one = withoutHolders(two, (pid) => pid === 7);
    expect(one).toContain('# attached: 8\n');
    expect(one).toContain('Port 23');
    expect(withoutHolders(one, (pid) => pid === 8)).toBe(foreign);
  });
});

describe('local ports', () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    ({ port } = taken.address() as AddressInfo);
  });
  afterAll(() => taken.close());

  const reserve = (mapTo: number | null, isHere: boolean, overrides: { local_port: number | null }[] = []) =>
    reservePorts({
      apps: [{ port, map_to_port: mapTo, app_name: 'a' }],
      overrides: overrides.map((each) => ({ ...each, container_port: port })),
      bindHost: undefined,
      isOnThisMachine: isHere,
    });

  it('the user chose must be free', async () => {
    await expect(reserve(port, false)).rejects.toMatchObject({
      message: `Port ${port} is already in use.`,
      hint: expect.stringContaining(`-p ${port + 1}:REMOTE`) as string,
    });
  });
  it('nobody chose move up to a free one', async () => {
    const [forwarded] = await reserve(port, false, [{ local_port: null }]);
    expect(forwarded?.localPort).toBeGreaterThan(port);
  });
  it('are left to a job on this machine, which listens there itself', async () => {
    expect(await reserve(port, true)).toEqual([
      { host: 'localhost', localPort: port, remotePort: port, isDirect: true },
    ]);
    expect(isOnThisMachine(runningOn({ hostname: '127.0.0.1' }))).toBe(true);
    expect(isOnThisMachine(runningOn({ hostname: '127.0.0.1' }, { network_mode: 'bridge' }))).toBe(false);
    expect(isOnThisMachine(runningOn({}))).toBe(false);
  });
  it('the run does not have are told with those it has', async () => {
    const wishes = { apps: [], overrides: [{ local_port: 1, container_port: 1 }], bindHost: undefined };
    await expect(reservePorts({ ...wishes, isOnThisMachine: false })).rejects.toThrow('does not expose port 1');
  });
});

it.each([
  [
    'bind [127.0.0.1]:8000: Address already in use\r\nCould not request local forwarding.',
    'Port 8000 is already in use.',
  ],
  ['root@localhost: Permission denied (publickey).', 'root@localhost does not accept the SSH key.'],
  ['Bad owner or permissions on /home/u/.ssh/config', 'ssh refuses its configuration'],
])('%j is not tried again', (words, message) => {
  expect(tunnelProblem(words, 'train')?.message).toContain(message);
});
it('a connection refused is', () => {
  expect(tunnelProblem('ssh: connect to host h port 22: Connection refused', 'train')).toBeUndefined();
});

describe('a server that is away for a while', () => {
  const away = new ConnectionError('away', true);
  const { signal } = new AbortController();

  it('is told once, and when it is back', async () => {
    const told: string[] = [];
    let calls = 0;
    const read = () => ((calls += 1) < 2 ? Promise.reject(away) : Promise.resolve('run'));
    await expect(patiently(read, { signal, outageMs: 60_000, onConnection: (state) => told.push(state) })).resolves.toBe('run'); // prettier-ignore
    expect(told).toEqual(['lost', 'back']);
  });
  it('is given up after the limit; any other error is thrown at once', async () => {
    const patience = { signal, outageMs: -1, onConnection: () => undefined };
    await expect(patiently(() => Promise.reject(away), patience)).rejects.toBe(away);
    await expect(patiently(() => Promise.reject(new Error('no')), { ...patience, outageMs: 60_000 })).rejects.toThrow('no'); // prettier-ignore
  });
});
