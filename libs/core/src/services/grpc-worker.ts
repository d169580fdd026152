import { readMessage, structFields, textField } from './protobuf-message.js';
import type { WorkerInfo } from './router-workers.js';

/** Whoever speaks gRPC to routers of SGLang says what it is by one of these; each takes an empty message. */
export interface GrpcWorkerApi {
  readonly method: string;
  /** @throws {RangeError} when the answer is none of it */
  readonly read: (message: Uint8Array) => WorkerInfo;
}

const SERVER_ARGS = 1;
const KV_ROLE = 7;

/** In the order in which they are asked. */
export const GRPC_WORKER_APIS: readonly GrpcWorkerApi[] = [
  { method: '/sglang.grpc.scheduler.SglangScheduler/GetServerInfo', read: sglangInfo },
  { method: '/vllm.grpc.engine.VllmEngine/GetServerInfo', read: vllmInfo },
];

function sglangInfo(message: Uint8Array): WorkerInfo {
  const args = structFields(readMessage(message).get(SERVER_ARGS)?.at(-1) ?? new Uint8Array());
  const mode = args.get('disaggregation_mode');
  const port = args.get('disaggregation_bootstrap_port');
  const kind = mode === 'prefill' || mode === 'decode' ? mode : 'regular';
  return { kind, protocol: 'grpc', bootstrapPort: kind === 'prefill' && typeof port === 'number' ? port : null };
}

/** vLLM's workers meet each other without a port for it. */
function vllmInfo(message: Uint8Array): WorkerInfo {
  const role = textField(readMessage(message), KV_ROLE);
  const kind = role === 'kv_producer' ? 'prefill' : role === 'kv_consumer' ? 'decode' : 'regular';
  return { kind, protocol: 'grpc', bootstrapPort: null };
}
