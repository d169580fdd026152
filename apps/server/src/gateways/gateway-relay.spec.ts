import { duplexPair, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedConnection } from '@dstack/gateway-protocol';
import type { World } from '../world/world.js';
import { GatewayRelay } from './gateway-relay.js';

/** A gateway that wants connections when it is told to. */
class WantingGateway {
  readonly waiting: { readonly resolve: (asked: LedConnection) => void; readonly reject: (error: Error) => void }[] =
    [];
  isClosed = false;

  ledConnection(): Promise<LedConnection> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  close(): void {
    this.isClosed = true;
    this.fail(Infinity);
  }

  fail(count: number): void {
    for (const { reject } of this.waiting.splice(0, count)) reject(new Error('the connection broke'));
  }

  /** What the gateway hears of the replica, or why it hears nothing. */
  want(replicaId: string): Promise<string> {
    const [near, far] = duplexPair();
    return new Promise((resolve) => {
      const asked = { replicaId, accept: () => (void text(near).then(resolve), far), refuse: resolve };
      this.waiting.shift()?.resolve(asked);
      near.end('question');
    });
  }
}

const world = { scheduler: { sleep: (ms: number, signal: AbortSignal) => sleep(Math.min(ms, 1), null, { signal }) } } as unknown as World; // prettier-ignore
const led = new Map([['near', { instanceId: 'machine', port: 80 }]]);
let gateways: WantingGateway[];
let opened: unknown[][];
let stopping: AbortController;
let relay: GatewayRelay;
const answer = async (): Promise<Duplex> => {
  const [replica, stream] = duplexPair();
  void text(replica).then((question) => replica.end(`answer to ${question}`));
  return stream;
};
let open: () => Promise<Duplex>;

beforeEach(() => {
  gateways = [];
  opened = [];
  open = answer;
  stopping = new AbortController();
  const connect = async () => {
    const gateway = new WantingGateway();
    gateways.push(gateway);
    return gateway;
  };
  const ports = { open: (...where: unknown[]) => (opened.push(where), open()) };
  relay = new GatewayRelay({ connect, ports, world }, stopping.signal);
});
afterEach(() => {
  stopping.abort(new Error('the test is over'));
  for (const gateway of gateways) gateway.fail(Infinity);
});

const ready = async (index: number): Promise<WantingGateway> => {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const gateway = gateways[index];
    if (gateway !== undefined && gateway.waiting.length > 0) return gateway;
    await sleep(1);
  }
  throw new Error('the gateway was not asked');
};

it('leads to the port of the job, again and again', async () => {
  relay.follow(led);
  const gateway = await ready(0);
  expect(await Promise.all([gateway.want('near'), gateway.want('near')])).toEqual(['answer to question', 'answer to question']); // prettier-ignore
  expect(opened).toEqual([['machine', 'near', 80], ['machine', 'near', 80]]); // prettier-ignore
  await ready(0);
});

it('leads nowhere else, and not any more', async () => {
  relay.follow(led);
  const gateway = await ready(0);
  expect(await gateway.want('other')).toContain('no such replica');
  relay.follow(new Map());
  expect(await gateway.want('near')).toContain('no such replica');
  expect(opened).toEqual([]);
});

it('says why it cannot', async () => {
  open = () => Promise.reject(new Error('nothing answers on port 80 of the job'));
  relay.follow(led);
  expect(await (await ready(0)).want('near')).toContain('nothing answers on port 80');
});

it('does not break off what is under way for a question that failed, and connects anew where all do', async () => {
  const [replica, stream] = duplexPair();
  open = () => Promise.resolve(stream);
  relay.follow(led);
  const gateway = await ready(0);
  const heard = gateway.want('near');
  gateway.fail(1);
  await ready(0);
  expect(gateway.isClosed).toBe(false);
  replica.resume().end('late answer');
  expect(await heard).toBe('late answer');
  while (!gateway.isClosed) {
    gateway.fail(Infinity);
    await sleep(1);
  }
  expect(await (await ready(1)).want('other')).toContain('no such replica');
});

it('connects for nobody', async () => {
  relay.follow(new Map());
  await sleep(5);
  expect(gateways).toEqual([]);
});
