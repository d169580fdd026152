import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { generateKeyPair } from '../../src/ssh/generate-key-pair.js';
import { JobSshServer } from '../../src/ssh/job-ssh-server.js';
import { eventually } from '../support/eventually.js';

const person = generateKeyPair();
const controller = generateKeyPair();

describe('how long nobody has been connected to a job', () => {
  let now = 1_000_000;
  let dir: string;
  let server: JobSshServer;
  let port: number;
  const clients: ssh2.Client[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'idle-'));
    server = new JobSshServer({
      authorizedKeys: [person.public],
      agentKeys: [controller.public],
      hostKeyPath: join(dir, 'key'),
      workspace: () => undefined,
      live: () => undefined,
      now: () => now,
    });
    port = await server.listen('127.0.0.1', 0);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.end();
    await server.close();
    rmSync(dir, { recursive: true });
  });

  /** Opens nothing on the connection, as `ssh -N` with a tunnel that nobody uses. */
  async function connect(privateKey: string): Promise<ssh2.Client> {
    const client = new ssh2.Client();
    clients.push(client);
    client.connect({ host: '127.0.0.1', port, username: 'me', privateKey });
    await once(client, 'ready');
    return client;
  }

  it('is no time while somebody holds an idle tunnel', async () => {
    await connect(person.private);
    now += 9_000;
    expect(server.idleSeconds()).toBe(9);
    now += 3_600_000;
    expect(server.idleSeconds()).toBe(0);
  });

  it('begins when the last of them goes', async () => {
    const client = await connect(person.private);
    now += 60_000;
    client.end();
    await once(client, 'close');
    const idle = await eventually(() => {
      now += 1_000;
      return server.idleSeconds() > 0 && server.idleSeconds();
    });
    now += 12_000;
    expect(server.idleSeconds()).toBe(idle + 12);
  });

  it('goes on while only a server is connected', async () => {
    await connect(controller.private);
    now += 120_000;
    expect(server.idleSeconds()).toBe(120);
  });
});
