import { readlinkSync } from 'node:fs';
import type { Wire } from '@dstack/core';
import { canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const NETWORK = /net:\[\d+\]/;

(canRunContainers() ? describe : describe.skip).each([
  ['2', 'host'],
  ['3', 'bridge'],
])('with DSTACK_SERVER_JOB_NETWORK_MODE=%s', (mode, network) => {
  const stack = new Stack({ DSTACK_SERVER_JOB_NETWORK_MODE: mode });
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  it(`a container that has its host for itself is in the network '${network}'`, async () => {
    const text = `type: task\nname: net\nimage: ${TEST_IMAGE}\ncommands: [readlink /proc/self/ns/net]\n${SMALL}\n`;
    const { stdout, code } = await stack.cli(['apply', '-y', '-f', stack.file('net', text)]);
    expect(code).toBe(0);
    const isOfHost = NETWORK.exec(stdout)?.[0] === readlinkSync('/proc/self/ns/net');
    expect(isOfHost ? 'host' : 'bridge').toBe(network);
    const { jobs } = await stack.api<Wire.Run>('/api/project/main/runs/get', { run_name: 'net' });
    expect(jobs[0]?.job_submissions[0]?.job_runtime_data).toMatchObject({ network_mode: network });
  });
});
