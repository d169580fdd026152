import { slowServerNote } from './slow-server-note.js';

const request = { url: 'http://server', path: '/x', waitedMs: 5_000, timeoutMs: 60_000 };

function scene(stderrIsTty: boolean) {
  const written: string[] = [];
  const clock = { at: 1_000 };
  const note = slowServerNote({ stderrIsTty, now: () => clock.at }, (text) => void written.push(text));
  return { note, clock, written };
}

it('tells which server is waited for, and for how long', () => {
  const { note, written } = scene(false);
  note(request);
  expect(written).toEqual(['http://server has not answered for 5 s; waiting for up to 60 s.\n']);
});

it('takes the place of a status line on a terminal', () => {
  const { note, written } = scene(true);
  note(request);
  expect(written[0]?.startsWith('\r\u001b[2Khttp://server has')).toBe(true);
});

it('is told once a minute, however many requests wait', () => {
  const { note, clock, written } = scene(false);
  note(request);
  clock.at += 59_999;
  note(request);
  expect(written).toHaveLength(1);
  clock.at += 1;
  note(request);
  expect(written).toHaveLength(2);
});
