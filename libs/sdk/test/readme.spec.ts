import { readFileSync } from 'node:fs';
import { transform } from '@swc/core';
import * as sdk from '../src/index.js';
import { FakeServer, logFrame } from './fake-server.js';

const AsyncFunction = (async () => undefined).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<void>;

it('the example of the README runs', async () => {
  const server = await FakeServer.start();
  const finished = {
    status: 'done',
    run_spec: { run_name: 'hello' },
    jobs: [{ job_spec: {}, job_submissions: [{ exit_status: 0 }] }],
  };
  server
    .json('/api/project/main/runs/get_plan', { current_resource: null })
    .json('/api/project/main/runs/apply', finished)
    .json('/api/project/main/runs/get', finished)
    .on('/api/project/main/runs/hello/logs/stream', (_, response) => void response.end(logFrame('hello\r\n', 7)));
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const body = example.replace(/^import .*$/m, '').replace('http://127.0.0.1:3000', server.url);
  const { code } = await transform(`async () => {${body}}`, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
  });
  const printed: string[] = [];
  const log = (text: string) => void printed.push(text);
  const program = new AsyncFunction(
    'Dstack',
    'isDstackError',
    'console',
    'process',
    `await (${code.trim().replace(/;$/, '')})()`,
  );
  await program(sdk.Dstack, sdk.isDstackError, { log, error: log }, { env: {} });
  await server.close();
  expect(printed).toEqual(['hello', 'ended with 0']);
});
