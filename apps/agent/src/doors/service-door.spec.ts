import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import type { JobStart } from '@dstack/agent-protocol';
import { containerJob, processJob } from '../../test/support/job-builder.js';
import type { Door } from './door-lines.js';
import { ServiceDoor } from './service-door.js';

const KEY = 'ssh-ed25519 AAAA';
const PORT = 8000;
const WANTED = { gatewayDoor: { authorizedKeys: [KEY], port: PORT } };

/** What the host lets through, without a host. */
class FakeDoors {
  readonly open = jest.fn(async (name: string, door: Door) => {
    if (this.isBroken) throw new Error('no user');
    this.doors.set(name, door);
  });
  readonly close = jest.fn(async (name: string) => void this.doors.delete(name));
  readonly doors = new Map<string, Door>();
  isBroken = false;
  problems = async (keys: readonly string[]) => keys.map((key) => `no ${key}`);
}

const bridged = (more: Partial<JobStart> = WANTED): JobStart => {
  const container = { image: 'i', privileged: false, network: 'bridge' as const, mounts: [] };
  return containerJob('i', 'true', { container, ...more });
};

describe('the way of a gateway through the host to the service of a job', () => {
  let doors: FakeDoors;
  let service: net.Server;
  const opened: ServiceDoor[] = [];
  const asked: number[] = [];

  beforeEach(async () => {
    doors = new FakeDoors();
    asked.length = 0;
    // Says what it was told, once it was told everything.
    service = net.createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((told) => socket.end(`told ${told}`));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const door of opened.splice(0)) await door.close();
    service.close();
    jest.restoreAllMocks();
  });

  const doorOf = (job: JobStart, openPort?: () => Promise<net.Socket>): ServiceDoor => {
    const { port } = service.address() as net.AddressInfo; // TCP
    const door = new ServiceDoor(doors, job, async (wanted) => {
      asked.push(wanted);
      return openPort === undefined ? net.connect({ host: '127.0.0.1', port, allowHalfOpen: true }) : openPort();
    });
    opened.push(door);
    return door;
  };
  const tell = (port: number, words: string): Promise<string> => {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.end(words);
    return text(socket);
  };
  const isOpen = (port: number): Promise<boolean> =>
    tell(port, '').then(
      () => true,
      () => false,
    );

  it.each([
    ['a process', processJob('true', WANTED)],
    ['a container in the network of the host', containerJob('i', 'true', WANTED)],
  ])('leads to the port that is this job’s alone for %s, whose ports are the host’s', async (_what, job) => {
    expect(await doorOf(job).open(40_000)).toBe(40_000);
    expect([...doors.doors]).toEqual([[`${job.id}/service`, { keys: [KEY], port: 40_000 }]]);
    expect(asked).toEqual([]);
  });

  it('leads to the port itself where the job side is of before and tells none', async () => {
    expect(await doorOf(processJob('true', WANTED)).open(undefined)).toBe(PORT);
  });

  it('leads to a port of the loopback for a container of its own network, from there into the job', async () => {
    const job = bridged();
    const port = (await doorOf(job).open(undefined)) ?? 0;
    expect([...doors.doors]).toEqual([[`${job.id}/service`, { keys: [KEY], port }]]);
    expect(port).not.toBe(PORT);
    // Whoever has said everything still hears the answer.
    expect(await Promise.all([tell(port, 'one'), tell(port, 'two')])).toEqual(['told one', 'told two']);
    expect(asked).toEqual([PORT, PORT]);
  });

  it('is the same as before the agent was started anew, or another where somebody else has that by now', async () => {
    const first = doorOf(bridged());
    const port = (await first.open(undefined)) ?? 0;
    await first.close();
    const second = doorOf(bridged());
    expect(await second.open(port)).toBe(port);
    const third = await doorOf(bridged()).open(port);
    expect(third).not.toBe(port);
    expect(await tell(third ?? 0, 'one')).toBe('told one');
  });

  it('is made once', async () => {
    const door = doorOf(bridged());
    const port = await door.open(undefined);
    expect([await door.open(undefined), await door.open(1)]).toEqual([port, port]);
    expect(doors.open).toHaveBeenCalledTimes(1);
  });

  it('is none where nobody asks for one', async () => {
    const door = doorOf(bridged({}));
    expect([await door.open(undefined), await door.problems()]).toEqual([undefined, []]);
    await door.close();
    expect([doors.open, doors.close].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    expect(await doorOf(bridged()).problems()).toEqual([`no ${KEY}`]);
  });

  it('ends with the job', async () => {
    const door = doorOf(bridged());
    const port = (await door.open(undefined)) ?? 0;
    await door.close();
    expect([doors.doors.size, await isOpen(port)]).toEqual([0, false]);
  });

  it('that the host refuses is told, is no port for the gateway, and is tried again', async () => {
    const told = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const door = doorOf(bridged());
    doors.isBroken = true;
    expect([await door.open(undefined), await door.open(undefined)]).toEqual([undefined, undefined]);
    expect(told).toHaveBeenCalledWith(expect.stringContaining('the way of its gateway through the host: no user'));
    doors.isBroken = false;
    const port = (await door.open(undefined)) ?? 0;
    expect(await tell(port, 'one')).toBe('told one');
  });

  it('that leads to nobody yet is closed in the face of who comes', async () => {
    const door = doorOf(bridged(), () => Promise.reject(new Error('the job is starting')));
    const port = (await door.open(undefined)) ?? 0;
    expect(await tell(port, 'one').catch(() => '')).toBe('');
    expect(asked).toEqual([PORT]);
  });
});
