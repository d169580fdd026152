import { type Forwarded, passedHeaders, requestHeaders } from './request-headers.js';
import { responseHeaders } from './response-headers.js';

const forwarded: Forwarded = {
  clientAddress: '10.0.0.9',
  protocol: 'https',
  prefix: '/proxy/services/main/llm',
  isTrusted: false,
  dropAuthorization: true,
};
const told = [
  ['X-Forwarded-For', '10.0.0.9'],
  ['X-Forwarded-Prefix', '/proxy/services/main/llm'],
  ['X-Real-IP', '10.0.0.9'],
  ['X-Forwarded-Proto', 'https'],
].flat();

it.each([
  ['hop by hop', ['Connection', 'keep-alive, X-Once', 'Keep-Alive', '5', 'X-Once', '1', 'TE', 'trailers'], []],
  ['connection as a header of its own choice', ['Connection', 'close', 'Upgrade', 'h2c', 'HTTP2-Settings', 'x'], []],
  ['the token', ['Authorization', 'Bearer t', 'Accept', '*/*'], ['Accept', '*/*']],
  [
    'what a client says of others',
    ['X-Forwarded-For', '1.2.3.4', 'Forwarded', 'for=1.2.3.4', 'x-real-ip', '1.2.3.4'],
    [],
  ],
  ['the same header twice', ['Cookie', 'a', 'Cookie', 'b'], ['Cookie', 'a', 'Cookie', 'b']],
])('%s', (_what, raw, kept) => {
  expect(requestHeaders(raw, forwarded)).toEqual([...kept, ...told]);
});

it('the host is told as the client named it', () => {
  expect(requestHeaders(['Host', 'h:3000'], forwarded)).toEqual([
    'Host',
    'h:3000',
    ...told,
    'X-Forwarded-Host',
    'h:3000',
  ]);
});

it('what a trusted proxy says is gone on with', () => {
  const raw = [
    'X-Forwarded-For',
    '1.2.3.4',
    'X-Forwarded-Proto',
    'https',
    'X-Real-IP',
    '1.2.3.4',
    'X-Forwarded-Prefix',
    '/x',
  ];
  const headers = requestHeaders(raw, { ...forwarded, protocol: 'http', isTrusted: true, prefix: '' });
  expect(headers).toEqual([
    'X-Forwarded-Proto',
    'https',
    'X-Real-IP',
    '1.2.3.4',
    'X-Forwarded-For',
    '1.2.3.4, 10.0.0.9',
  ]);
});

it('credentials of the service itself are passed on', () => {
  expect(requestHeaders(['Authorization', 'Basic x'], { ...forwarded, dropAuthorization: false })).toContain('Basic x');
});

it('answers lose what is of the connection and get what is added', () => {
  const raw = ['Transfer-Encoding', 'chunked', 'Content-Security-Policy', "default-src 'self'", 'X', '1'];
  const added = ['Content-Security-Policy', 'sandbox'];
  expect(responseHeaders(raw, added)).toEqual([...raw.slice(2), ...added]);
});

it('behind another proxy all is passed on but what is of the connection', () => {
  const raw = ['Host', 'h', 'Connection', 'X-Once', 'X-Once', '1', 'X-Forwarded-For', '1.2.3.4', 'Authorization', 'x'];
  expect(passedHeaders(raw)).toEqual(['Host', 'h', 'X-Forwarded-For', '1.2.3.4', 'Authorization', 'x']);
});
