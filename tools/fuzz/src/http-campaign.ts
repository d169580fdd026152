import fc from 'fast-check';
import { AttackedServer } from './attacked-server.js';
import { type Campaign, trial } from './campaign.js';
import { sendRaw } from './raw-socket.js';

const CASES = 400;

export const httpCampaign: Campaign = {
  name: 'http',
  what: 'HTTP itself: malformed, doubled and huge headers, odd framing, pipelines',
  open: async () => {
    const server = await AttackedServer.start();
    const survived = trial(
      'no bytes make a 5xx, a hanging connection or a server that is gone',
      CASES,
      fc.asyncProperty(
        fc.array(request(server.token), { minLength: 1, maxLength: 3 }),
        fc.nat({ max: 400 }),
        async (requests, cut) => {
          const bytes = requests.join('');
          const sent = cut > 300 ? bytes.slice(0, cut) : bytes;
          const answer = await sendRaw({ port: server.port, host: '127.0.0.1' }, [Buffer.from(sent, 'latin1')]);
          const bad = [...answer.matchAll(/HTTP\/1\.1 (5\d\d)[^\r]*/g)].map(([line]) => line);
          if (bad.length > 0) throw new Error(`${bad.join(', ')}: ${answer.slice(0, 500)}`);
          const health = await server.http.send({ method: 'GET', path: '/healthcheck' });
          if (health.status !== 200) throw new Error(`the server is ill: ${health.status}`);
        },
      ),
    );
    return { trials: [survived], close: () => server.stop() };
  },
};

const method = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('POST', 'GET') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'PUT',
      'HEAD',
      'OPTIONS',
      'TRACE',
      'CONNECT',
      'PRI',
      'post',
      '',
      'X'.repeat(200),
      'GE\u0000T',
    ),
  },
);
const target = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '/api/users/list',
      '/api/project/main/runs/get',
      '/api/server/get_info',
      '/healthcheck',
      '/api/users/create',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        '/',
        '//',
        '*',
        '',
        'x',
        '/%',
        '/%00',
        '/%ff%fe',
        '/api/project/%2e%2e/runs/get',
        '/api/../../etc/passwd',
        '/api/users/list?',
        'http://x/api',
      ],
      ...[
        '/api/users/list#x',
        '/api/project/a%2fb/runs/get',
        '/api/project/%E0%A4%A/runs/get',
        `/${'a'.repeat(9_000)}`,
        `/api?${'a=b&'.repeat(3_000)}`,
        '/api/users/list/;x',
      ],
      ...[
        '/api/project/main/metrics/job/x?limit=1&limit=2',
        '/api/project/main/metrics/job/x?limit[a]=1',
        '/api/project/__proto__/runs/get',
        '/api/docs/../docs',
        '/\u00ff',
      ],
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 30 }).map((text) => `/${text}`) },
);
const version = fc.oneof(
  { weight: 9, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', '', 'HTTP/1.1 x', 'http/1.1') },
);

const HEADERS: readonly string[] = [
  ...[
    'Authorization: Basic eA==',
    'Authorization: Bearer',
    'Authorization: Bearer  ',
    'Authorization:',
    'Authorization: Bearer a b',
    'authorization: bearer \u00ff\u00fe',
  ],
  ...[
    `Authorization: Bearer ${'x'.repeat(7_000)}`,
    'Authorization: Negotiate',
    `Authorization: Bearer${' '.repeat(5_000)}x`,
    'Authorization: Bearer \u0001',
  ],
  ...[
    'X-API-Version: 0.21.2',
    'X-API-Version: latest',
    'X-API-Version: ',
    'X-API-Version: 9.9.9',
    `X-API-Version: ${'1.'.repeat(2_000)}`,
    'X-API-Version: 1e9',
    'X-API-Version: -1',
    'X-API-Version: 0.21.2, 0.19',
  ],
  ...[
    'Content-Type: application/json',
    'Content-Type: application/json; charset=utf-16',
    'Content-Type: text/xml',
    'Content-Type:',
    'Content-Type: multipart/form-data',
    'Content-Type: multipart/form-data; boundary=',
  ],
  ...[
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: chunked, chunked',
  ],
  ...[
    'Content-Length: 2',
    'Content-Length: 0',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Content-Length: 2, 2',
    'Content-Length: 0x10',
    'Content-Length: 1000000000',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Connection: close',
    'Connection: keep-alive, x',
    'Sec-WebSocket-Key: x',
    'Sec-WebSocket-Version: 13',
  ],
  ...[
    'X-Request-Id: a\u00ff',
    `X-Request-Id: ${'r'.repeat(4_000)}`,
    'X-Idempotency-Key: ',
    'X-Idempotency-Key: \u00e9',
    'Host: y',
    'Host:',
    'Cookie: a=b',
    'X-Forwarded-For: 1.2.3.4',
    `X-Long: ${'y'.repeat(20_000)}`,
  ],
  ...[
    ' folded: x',
    'no colon',
    ': no name',
    'bad name: x',
    'a\u0000b: c',
    'A:\u000bb',
    `${'n'.repeat(3_000)}: x`,
    'Range: bytes=0-1',
    'If-None-Match: *',
    'Accept-Encoding: gzip;q=9',
    '__proto__: x',
    'constructor: y',
  ],
];

const body = fc.constantFrom(
  '',
  '{}',
  '{"a',
  '{"limit":1}',
  '\u0000',
  '2\r\n{}\r\n0\r\n\r\n',
  'ffffffffffffffff\r\nx',
  '-1\r\nx\r\n',
  '2;x=y\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
  'x'.repeat(10_000),
  '1f8b0800',
);

function request(token: string): fc.Arbitrary<string> {
  const all = ['Host: x', `Authorization: Bearer ${token}`, 'Content-Type: application/json'];
  // Most must come past the parser: what it refuses no code of ours ever sees.
  const usual = fc.oneof({ weight: 6, arbitrary: fc.constant(all) }, { weight: 1, arbitrary: fc.subarray(all) });
  const framing = fc.constantFrom('length', 'length', 'length', 'length', 'length', 'none');
  return fc
    .record({
      method,
      target,
      version,
      usual,
      odd: fc.oneof(
        { weight: 3, arbitrary: fc.array(fc.constantFrom(...HEADERS), { maxLength: 1 }) },
        { weight: 1, arbitrary: fc.array(fc.constantFrom(...HEADERS), { maxLength: 4 }) },
      ),
      body,
      framing,
      line: fc.oneof({ weight: 30, arbitrary: fc.constant('\r\n') }, { weight: 1, arbitrary: fc.constant('\n') }),
    })
    .map((parts) => {
      const length = parts.framing === 'length' ? [`Content-Length: ${Buffer.byteLength(parts.body, 'latin1')}`] : [];
      const head = [`${parts.method} ${parts.target} ${parts.version}`, ...parts.usual, ...parts.odd, ...length];
      return `${head.join(parts.line)}${parts.line}${parts.line}${parts.body}`;
    });
}
