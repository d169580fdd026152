import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchLogsClient, CreateLogGroupCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Moto, whyNoMoto } from '@dstack/cloud-fakes/moto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ServerProcess, submission } from './server-process.js';

jest.setTimeout(120_000);

const isFull = process.env['DSTACK_TEST_FULL'] === '1';
const why = isFull ? whyNoMoto() : 'it is part of the full run';
if (isFull && why !== null) console.warn(`CloudWatch Logs was not tried on moto: ${why}`);

const GROUP = '/dstack/jobs';
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };

(why === null ? describe : describe.skip)('a server whose logs CloudWatch keeps', () => {
  let moto: Moto;
  let way: Way;
  let client: CloudWatchLogsClient;
  let server: ServerProcess;

  beforeAll(async () => {
    moto = await Moto.start();
    way = await Way.to(moto.url);
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    client = new CloudWatchLogsClient({ region: 'us-east-1', endpoint: moto.url, credentials });
    server = new ServerProcess(null, {
      ...CREDENTIALS,
      DSTACK_SERVER_CLOUDWATCH_LOG_GROUP: GROUP,
      DSTACK_SERVER_CLOUDWATCH_LOG_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: way.url,
    });
  });
  afterAll(async () => {
    await server.destroy();
    client.destroy();
    await way.close();
    await moto.stop();
  });

  const kept = async (run: string, jobId: string): Promise<string> => {
    const logStreamName = `main/${run}/${jobId}/job`;
    const command = new GetLogEventsCommand({ logGroupName: GROUP, logStreamName, startFromHead: true });
    const { events = [] } = await client.send(command).catch(() => ({ events: [] }));
    return events
      .map(({ message }) => message)
      .join('')
      .replaceAll('\r\n', '\n');
  };
  const untilKept = async (run: string, jobId: string, text: string): Promise<void> => {
    for (let tries = 0; tries < 600; tries += 1) {
      if ((await kept(run, jobId)) === text) return;
      await sleep(100);
    }
    throw new Error(`CloudWatch has ${JSON.stringify(await kept(run, jobId))}: ${server.log().slice(-2_000)}`);
  };
  const finished = async (run: string): Promise<string> => submission(await server.finished(run)).id;

  it('does not start without its group, and says why', async () => {
    await expect(server.start()).rejects.toThrow(/there is no CloudWatch log group "\/dstack\/jobs"/);
    await client.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
    await server.start();
  });

  it('has what a job wrote there, and shows it', async () => {
    await server.apply({ name: 'hello', commands: ['echo hello', 'echo bye'] });
    await untilKept('hello', await finished('hello'), 'hello\nbye\n');
    expect(await server.logs('hello')).toBe('hello\nbye\n');
  });

  it('goes on while CloudWatch does not answer, and brings everything when it does', async () => {
    way.isOpen = false;
    await server.apply({ name: 'meanwhile', commands: ['echo waits'] });
    const jobId = await finished('meanwhile');
    expect(await server.logs('meanwhile')).toBe('waits\n');
    // Killed with lines that nobody has but its database.
    await server.kill('SIGKILL');
    await server.start();
    expect(server.log()).toContain('logs wait in the database until it can');
    way.isOpen = true;
    await untilKept('meanwhile', jobId, 'waits\n');
  });
});

/** A way to a service that can be closed. */
class Way {
  isOpen = true;

  private constructor(private readonly server: Server) {}

  static async to(url: string): Promise<Way> {
    const { hostname: host, port } = new URL(url);
    const server = createServer();
    const way = new Way(server);
    server.on('connection', (near) => {
      const far = connect({ host, port: Number(port) });
      for (const end of [near, far]) end.on('error', () => undefined);
      if (!way.isOpen) near.destroy();
      near.on('data', () => {
        if (!way.isOpen) near.destroy();
      });
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`; // it listens on TCP
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}
