import { GRPC_WORKER_APIS } from './grpc-worker.js';
import { readMessage, structFields } from './protobuf-message.js';

const bytes = (number: number, content: Uint8Array | string): Uint8Array => {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([number * 8 + 2]), varint(body.length), body]);
};
const varint = (value: number): Uint8Array =>
  value < 128 ? Uint8Array.of(value) : Uint8Array.of((value % 128) + 128, ...varint(Math.floor(value / 128)));
const double = (number: number, value: number): Uint8Array => {
  const body = Buffer.alloc(9, number * 8 + 1);
  body.writeDoubleLE(value, 1);
  return body;
};
/** A `google.protobuf.Struct`. */
const struct = (values: Readonly<Record<string, string | number | boolean | null>>): Uint8Array =>
  Buffer.concat(
    Object.entries(values).map(([key, value]) => {
      const content =
        typeof value === 'number'
          ? double(2, value)
          : typeof value === 'string'
            ? bytes(3, value)
            : Uint8Array.of((value === null ? 1 : 4) * 8, value === true ? 1 : 0);
      return bytes(1, Buffer.concat([bytes(1, key), bytes(2, content)]));
    }),
  );
const [sglang, vllm] = GRPC_WORKER_APIS;

it.each([
  ['nothing', {}, { kind: 'regular', bootstrapPort: null }],
  [
    'an ordinary one',
    { disaggregation_mode: 'null', disaggregation_bootstrap_port: 8998 },
    { kind: 'regular', bootstrapPort: null },
  ],
  [
    'prefill, among much else',
    {
      model_path: 'm'.repeat(300),
      tp_size: 2,
      log_requests: false,
      chat_template: null,
      disaggregation_mode: 'prefill',
      disaggregation_bootstrap_port: 8998,
    },
    { kind: 'prefill', bootstrapPort: 8998 },
  ],
  ['prefill without a port', { disaggregation_mode: 'prefill' }, { kind: 'prefill', bootstrapPort: null }],
  [
    'decode',
    { disaggregation_mode: 'decode', disaggregation_bootstrap_port: 8998 },
    { kind: 'decode', bootstrapPort: null },
  ],
] as const)('a worker of SGLang says over gRPC what it is: %s', (_what, args, expected) => {
  const scheduler = bytes(2, struct({ disaggregation_mode: 'decode' }));
  const message = Buffer.concat([bytes(1, struct(args)), scheduler, Uint8Array.of(24, 200, 1), double(6, 1.5)]);
  expect(sglang?.read(message)).toEqual({ ...expected, protocol: 'grpc' });
});

it.each([
  ['', 'regular'],
  ['kv_both', 'regular'],
  ['kv_producer', 'prefill'],
  ['kv_consumer', 'decode'],
])('a worker of vLLM with the role "%s" is %s', (role, kind) => {
  const message = Buffer.concat([
    Uint8Array.of(8, 3),
    bytes(5, 'vllm-grpc'),
    bytes(6, 'NixlConnector'),
    bytes(7, role),
  ]);
  expect(vllm?.read(message)).toEqual({ kind, protocol: 'grpc', bootstrapPort: null });
});

it.each([
  ['a field that is longer than the message', [10, 5, 1]],
  ['a number that does not end', [8, 255]],
  ['a type that there is not', [11]],
])('refuses %s', (_what, message) => {
  expect(() => readMessage(Uint8Array.from(message))).toThrow(RangeError);
});

it('of a struct texts and numbers are read, the last one of a name', () => {
  const twice = Buffer.concat([struct({ a: 'one', b: 2.5 }), struct({ a: 'two', c: true })]);
  expect([...structFields(twice)]).toEqual([
    ['a', 'two'],
    ['b', 2.5],
  ]);
});
