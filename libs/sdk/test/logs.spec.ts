import { Dstack, isDstackError, type LogLine } from '../src/index.js';
import { FakeServer, logFrame, sendJson } from './fake-server.js';

const STREAM = '/api/project/main/runs/train/logs/stream';

const run = (status: string, jobStatus: string) => ({
  status,
  jobs: [
    { job_spec: { replica_num: 0, job_num: 0 }, job_submissions: [{ id: 's1', status: jobStatus, exit_status: 0 }] },
  ],
});

async function texts(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const result: string[] = [];
  for await (const line of lines) result.push(line.text);
  return result;
}

describe('logs', () => {
  let server: FakeServer;
  let client: Dstack;
  beforeEach(async () => {
    server = await FakeServer.start();
    client = new Dstack({ url: server.url, token: 't' });
  });
  afterEach(() => server.close());

  it('are read as lines from frames cut anywhere, heartbeats left out', async () => {
    server.on(STREAM, (_, response) => {
      const bytes = Buffer.concat([logFrame('one\r\ntw', 7), logFrame('', 7), logFrame('o\nthree', 14)]);
      response.write(bytes.subarray(0, 11));
      response.end(bytes.subarray(11));
    });
    expect(await texts(client.runs.handle('train').logs())).toEqual(['one', 'two', 'three']);
  });

  it('go on at the last offset after the connection broke, each line once', async () => {
    server.on(STREAM, ({ query }, response) => {
      if (query.get('after') === '0') {
        response.write(logFrame('a\nb', 3), () => response.destroy());
        return;
      }
      // A server may send a whole chunk again although only its end is new.
      response.end(Buffer.concat([logFrame('a\nb\nc\n', 6)]));
    });
    expect(await texts(client.runs.handle('train').logs())).toEqual(['a', 'b', 'c']);
    expect(server.received.map((each) => each.query.get('after'))).toEqual(['0', '3']);
  });

  it('tell when the server is away and when it is back, also while the job is silent', async () => {
    let connections = 0;
    const states: string[] = [];
    server.on(STREAM, (_, response) => {
      connections += 1;
      if (connections === 1) return void response.write(logFrame('a\n', 2), () => response.destroy());
      if (!states.includes('lost')) return void response.destroy();
      response.write(logFrame('', 2));
      setTimeout(() => response.end(), 50);
    });
    const options = { onConnection: (state: string) => void states.push(state) };
    expect(await texts(client.runs.handle('train').logs(options))).toEqual(['a']);
    expect(states).toEqual(['lost', 'back']);
  });

  it('are polled from a server without streams until the job is final, each event once', async () => {
    const event = (timestamp: string, text: string) => ({
      timestamp,
      log_source: 'stdout',
      message: Buffer.from(text).toString('base64'),
    });
    const stored = [event('2026-01-01T00:00:01Z', 'one\n'), event('2026-01-01T00:00:01Z', 'two\n')];
    let looks = 0;
    server.on('/api/project/main/runs/get', (_, response) => {
      looks += 1;
      // Looked at once to find the job, then before each round of pages.
      if (looks === 3) stored.push(event('2026-01-01T00:00:01Z', 'three\n'), event('2026-01-01T00:00:02Z', 'four\n'));
      sendJson(response, looks < 3 ? run('running', 'running') : run('done', 'done'));
    });
    server.on('/api/project/main/logs/poll', ({ body }, response) => {
      const { start_time: from } = body as { start_time: string | null };
      sendJson(response, { logs: stored.filter((each) => from === null || each.timestamp >= from), next_token: null });
    });
    expect(await texts(client.runs.handle('train').logs())).toEqual(['one', 'two', 'three', 'four']);
  });

  it('of an unknown run are an error', async () => {
    server.json(STREAM, { detail: [{ msg: 'Run not found', code: 'resource_not_exists' }] }, 400);
    const error: unknown = await texts(client.runs.handle('train').logs()).catch((caught: unknown) => caught);
    expect(isDstackError(error, 'not-found')).toBe(true);
  });

  it('end when cancelled', async () => {
    server.on(STREAM, (_, response) => void response.write(logFrame('a\n', 2)));
    const controller = new AbortController();
    const read = async () => {
      for await (const line of client.runs.handle('train').logs({ signal: controller.signal }))
        if (line.text === 'a') controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'aborted' });
  });
});
