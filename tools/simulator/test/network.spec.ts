import { expect, it } from '@jest/globals';
import { type Faults, NO_FAULTS } from '../src/faults.js';
import { Network } from '../src/network.js';
import { RandomSource } from '../src/random-source.js';
import { ServerEpoch } from '../src/servers/server-epoch.js';
import { Story } from '../src/story.js';
import { VirtualTime } from '../src/time/virtual-time.js';
import { WallClock } from '../src/time/wall-clock.js';

function world(faults: Partial<Faults> = {}, timeoutMs = 1_000) {
  const time = new VirtualTime(0);
  const random = new RandomSource(1);
  const story = new Story(
    () => time.now(),
    0,
    true,
    () => undefined,
  );
  const fate = { isCrashDue: () => false, freezeMs: () => null };
  const server = new ServerEpoch('server', { time, clock: new WallClock(time), random, fate, tell: () => undefined });
  const network = new Network(time, random, { ...NO_FAULTS, ...faults }, story);
  let done = 0;
  const answer = network
    .send({
      name: 'cloud: create',
      server,
      travelMs: [10, 20],
      answerMs: [10, 20],
      timeoutMs: () => timeoutMs,
      onTimeout: (what) => new Error(what),
      isPassedOn: true,
      isRepeatable: true,
      effect: () => (done += 1),
    })
    .then(String, (error: Error) => error.message);
  const run = async (): Promise<void> => {
    do await new Promise(setImmediate);
    while (time.step());
  };
  return { server, answer, run, done: () => done };
}

it('a request arrives and is answered', async () => {
  const { answer, run } = world();
  await run();
  expect(await answer).toBe('1');
});

it('a lost request does nothing, and its sender gives up', async () => {
  const { answer, run, done } = world({ lostRequest: 1 });
  await run();
  expect([await answer, done()]).toEqual(['cloud: create: the request is lost', 0]);
});

it('a request whose answer is lost was carried out', async () => {
  const { answer, run, done } = world({ lostReply: 1 });
  await run();
  expect([await answer, done()]).toEqual(['cloud: create: the answer is lost', 1]);
});

it('what is sent arrives though its sender has died', async () => {
  const { server, run, done } = world();
  await new Promise(setImmediate);
  server.crash('at once');
  await run();
  expect(done()).toBe(1);
});

it('a late request arrives after its sender has given up', async () => {
  const { answer, run, done } = world({ lateRequest: 1 });
  await run();
  expect([await answer, done()]).toEqual(['cloud: create: no answer in time', 1]);
});

it('one without an answer may be carried out twice', async () => {
  const { run, done } = world({ lostReply: 1, repeatedRequest: 1 }, 60_000);
  await run();
  expect(done()).toBe(2);
});
