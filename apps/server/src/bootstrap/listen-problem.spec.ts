import { listenProblem } from './listen-problem.js';

const failure = (code: string): Error => Object.assign(new Error(`listen ${code}`), { code });

it.each([
  ['a name without an address', 'ENOTFOUND', 'on nowhere: no address is known for it. Pass another --host.'],
  ['a name that cannot be looked up', 'EAI_AGAIN', 'on nowhere: no address is known for it'],
  ['a port for root only', 'EACCES', 'may not listen on port 80. Pass a --port above 1023.'],
  ['what is told elsewhere', 'EADDRINUSE', 'listen EADDRINUSE'],
])('%s', (_case, code, told) => {
  expect(listenProblem(failure(code), { host: 'nowhere', port: 80 })).toMatchObject({
    message: expect.stringContaining(told) as string,
  });
});
