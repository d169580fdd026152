export type { NewToken, TokenInfo, Wire } from '@dstack/core';
export { Dstack, type DstackOptions } from './dstack.js';
export {
  ApiError,
  type ApiErrorDetails,
  ConnectionError,
  DstackError,
  type DstackErrorKind,
  isApiError,
  isDstackError,
  RunFailedError,
} from './errors.js';
export { API_VERSION, type CallOptions, type SlowRequest } from './http/transport.js';
export type { LogChunk, LogLine, LogOptions, LogTarget } from './logs/log-chunk.js';
export { LogFrameDecoder, type LogFrame } from './logs/log-frame-decoder.js';
export { logLines } from './logs/log-lines.js';
export type { DeviceSignIn } from './resources/auth.js';
export type { JobMetricsRequest } from './resources/metrics.js';
export type { PlannedRun, PlanOptions, RunConfiguration, SubmitOptions } from './resources/runs.js';
export type { TokenRequest } from './resources/users.js';
export { endingJob } from './runs/ending-job.js';
export { isFinalJobStatus, isFinalRunStatus } from './runs/final-status.js';
export { RunHandle } from './runs/run-handle.js';
export { type JobSelector, type RunResult, runExitStatus, selectJob, selectSubmission } from './runs/run-state.js';
