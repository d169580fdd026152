import { NotReadyError, WaitingRoom } from './waiting-room.js';

function room(places = 2) {
  const timers = new Set<() => void>();
  const after = (_ms: number, then: () => void) => {
    timers.add(then);
    return { cancel: () => void timers.delete(then) };
  };
  return { timers, room: new WaitingRoom({ places, longestMs: 1_000, after }) };
}
const never = new AbortController().signal;

it('lets all go on when there is a replica', async () => {
  const { room: waiting, timers } = room();
  const both = Promise.all([waiting.wait(never), waiting.wait(never)]);
  expect(waiting.size).toBe(2);
  waiting.open();
  await both;
  expect([waiting.size, timers.size]).toEqual([0, 0]);
});

it('is full with so many', async () => {
  const { room: waiting } = room(1);
  void waiting.wait(never);
  await expect(waiting.wait(never)).rejects.toThrow(NotReadyError);
});

it('nobody waits for ever, and who has gone does not wait', async () => {
  const { room: waiting, timers } = room();
  const gone = new AbortController();
  const [late, left] = [waiting.wait(never), waiting.wait(gone.signal)];
  gone.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  for (const fire of [...timers]) fire();
  await expect(late).rejects.toThrow('no replica became ready in time');
  expect(waiting.size).toBe(0);
});
