import { createHash } from 'node:crypto';
import type { JobStart } from '@dstack/agent-protocol';
import fc from 'fast-check';
import { type AgentReply, askAgent } from './ask-agent.js';
import { AttackedAgent, WAITING } from './attacked-agent.js';
import { type Campaign, trial } from './campaign.js';
import type { HttpRequest } from './http-request.js';
import { junk } from './junk.js';
import { mutated } from './mutate.js';
import { ODD_TARGETS } from './odd-targets.js';
import { sendRaw } from './raw-socket.js';

const CASES = 1_000;
const RAW_CASES = 200;

export const agentCampaign: Campaign = {
  name: 'agent',
  what: 'every route of the agent’s socket with bodies that are valid, damaged, or nothing of the kind',
  open: async () => {
    const agent = await AttackedAgent.start();
    const { socketPath } = agent;
    const answered = trial(
      'every reply is one of the protocol, none is a 5xx',
      CASES,
      fc.asyncProperty(requests, async (request) => {
        const problem = problemOf(request.method, await askAgent(socketPath, request));
        if (problem !== undefined) throw new Error(`${request.method} ${request.path}: ${problem}`);
      }),
    );
    const survived = trial(
      'no target makes a 5xx, or an agent that is gone',
      RAW_CASES,
      fc.asyncProperty(fc.constantFrom(...ODD_TARGETS), upgrade, async (target, head) => {
        const sent = `GET ${target} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n${head}x-dstack-epoch: 1\r\n\r\n`;
        const answer = await sendRaw({ path: socketPath }, [Buffer.from(sent, 'latin1')]);
        if (/^HTTP\/1\.1 (5|1)/.test(answer)) throw new Error(answer.slice(0, 300));
        const health = await askAgent(socketPath, { method: 'GET', path: '/v1/info' });
        if (health.status !== 200) throw new Error(`the agent is ill: ${health.status}`);
      }),
    );
    return { trials: [answered, survived], close: () => agent.stop() };
  },
};

function problemOf(method: string, { status, text, isStream }: AgentReply): string | undefined {
  if (status === 200) return isStream || isJson(text) ? undefined : `200 without JSON: ${text.slice(0, 300)}`;
  if (![400, 404, 409].includes(status)) return `${status} ${text.slice(0, 300)}`;
  if (method === 'HEAD') return undefined;
  if (isJson(text) && /"code":"[a-z_]+"/.test(text) && /"message":".+"/.test(text)) return undefined;
  return `${status} without a reason: ${text.slice(0, 300)}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const upgrade = fc.constantFrom('', 'Connection: Upgrade\r\nUpgrade: tcp\r\n', 'Connection: Upgrade\r\nUpgrade: x\r\n');

const CONTENT = 'content';
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const JOB_IDS = ['a', `${WAITING}-b`, `${WAITING}-c`, 'd'] as const;

const likelyId = fc.constantFrom<string>(...JOB_IDS);
const id = fc.oneof(
  { weight: 12, arbitrary: likelyId },
  {
    weight: 1,
    arbitrary: fc.constantFrom('..', '%2e%2e', 'x'.repeat(65), '-', 'a%2fb', '__proto__', 'constructor', '%00', ''),
  },
);

const jobs: fc.Arbitrary<JobStart> = fc.record({
  id: likelyId,
  runId: fc.constant('run'),
  runName: fc.constant('run-1'),
  projectName: fc.constant('main'),
  jobName: fc.constant('run-1-0-0'),
  runtime: fc.constantFrom('process' as const, 'container' as const),
  container: fc.constant({ image: 'i', privileged: false, network: 'host' as const, mounts: [] }),
  commands: fc.constantFrom([], ['true']),
  env: fc.constantFrom<Record<string, string>>({}, { A: 'b' }),
  files: fc.constantFrom([], [{ blob: SHA256, path: '/x' }]),
  gpuCount: fc.constantFrom(0, 1, -1),
  ssh: fc.constant({ authorizedKeys: [] }),
  cluster: fc.constant({ nodesNum: 1, nodeRank: 0, nodesIps: [''], gpusPerNode: 0, gpusNum: 0 }),
  repoId: fc.constant('none'),
});

const stops = fc.record({
  mode: fc.constantFrom('graceful', 'kill'),
  graceSeconds: fc.constantFrom(null, 0, 1, 1e300),
  reason: fc.constantFrom('terminated_by_user', 'aborted_by_user', 'toString'),
});
const acknowledgements = fc.record({
  stream: fc.constantFrom('job', 'runner'),
  offset: fc.constantFrom(0, 1, 2 ** 53 - 1, -1, 0.5),
});

/** As JSON, or as something that is none. */
function body(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const values = fc.oneof(
    { weight: 4, arbitrary: valid },
    { weight: 4, arbitrary: valid.chain(mutated) },
    { weight: 1, arbitrary: junk },
  );
  return fc.oneof(
    { weight: 12, arbitrary: values.map((value) => JSON.stringify(value) ?? '') },
    { weight: 1, arbitrary: fc.constantFrom('', '{', '\u0000', '[[', '{"jobIds":1e400}', 'null') },
  );
}

/** None of them takes the host from the others. */
const epoch = fc.oneof(
  { weight: 12, arbitrary: fc.constant<string | undefined>('1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(undefined, '0', '-1', '', ' 1', '1e3', '0x1', '1,1', '9'.repeat(16), 'NaN'),
  },
);

const parts = id.chain((jobId) => {
  const job = `/v1/jobs/${jobId}`;
  const to = (method: string, path: string, content: fc.Arbitrary<string> = fc.constant('')) =>
    fc.record({ method: fc.constant(method), path: fc.constant(path), body: content });
  const start = fc.oneof(
    { weight: 3, arbitrary: jobs.map((spec) => ({ ...spec, id: jobId })) },
    { weight: 1, arbitrary: jobs },
  );
  return fc.oneof(
    to('GET', '/v1/info'),
    to('PUT', '/v1/desired', body(fc.record({ jobIds: fc.subarray([...JOB_IDS, 'nobody']) }))),
    to('PUT', '/v1/power-off', body(fc.record({ afterSeconds: fc.constantFrom(null, 60, 0, -1, 1e300) }))),
    to('GET', '/v1/events'),
    { weight: 3, arbitrary: to('PUT', job, body(start)) },
    to('DELETE', job),
    to('POST', `${job}/stop`, body(stops)),
    to('PUT', `${job}/blobs/${SHA256}`, fc.constantFrom(CONTENT, 'other', '')),
    to('PUT', `${job}/blobs/${SHA256.toUpperCase()}`),
    to('POST', `${job}/logs/ack`, body(acknowledgements)),
    fc
      .record({
        stream: fc.constantFrom('job', 'runner', 'x', ''),
        offset: fc.constantFrom('0', '9007199254740991', '-1', '1e3', '', 'x'),
        window: fc.constantFrom('0', '1', '9007199254740991', '1.5', 'Infinity'),
      })
      .chain(({ stream, offset, window }) =>
        to('GET', `${job}/logs?stream=${stream}&offset=${offset}&window=${window}`),
      ),
    fc.constantFrom('80', '0', '65536', '99999', 'x', '').chain((port) => to('GET', `${job}/tcp/${port}`)),
    to('GET', `${job}/server`),
    fc.constantFrom('PATCH', 'OPTIONS', 'HEAD', 'POST').chain((method) => to(method, job)),
  );
});

const requests: fc.Arbitrary<HttpRequest> = fc
  .record({ parts, epoch, upgrade: fc.nat({ max: 9 }) })
  .map(({ parts: request, epoch: value, upgrade: chance }) => ({
    ...request,
    headers: {
      ...(value === undefined ? {} : { 'x-dstack-epoch': value }),
      ...(chance === 0 ? { connection: 'Upgrade', upgrade: 'tcp' } : {}),
    },
  }));
