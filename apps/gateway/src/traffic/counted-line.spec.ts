import { countedLine } from './counted-line.js';

const line = (path: string, status: number, tunnel: string): string =>
  `{"time":"2026-01-01T00:00:00+00:00","host":"web.test","client":"127.0.0.1","method":"GET","path":"${path}","status":${status},"bytes":17,"seconds":0.012,"tunnel":"${tunnel}"}`;

it.each([
  ['an answer', line('/', 200, 'a-b-0'), { host: 'web.test', tunnel: 'a-b-0', status: 200, ms: 12 }],
  ['a client that went', line('/', 499, 'a-b-0'), { host: 'web.test', tunnel: 'a-b-0', status: null, ms: 12 }],
  ['what the program answered', line('/', 200, ''), null],
  ['a line of a former version', '{"time":"x","host":"web.test","status":200,"bytes":1,"seconds":0.1}', null],
  [
    'a path that says more',
    line(String.raw`/\",\"status\":500,\"bytes\":1,\"seconds\":9,\"tunnel\":\"x\"}`, 200, 'a'),
    { host: 'web.test', tunnel: 'a', status: 200, ms: 12 },
  ],
  ['half a line', line('/', 200, 'a').slice(40), null],
])('%s', (_what, text, expected) => expect(countedLine(text)).toEqual(expected));
