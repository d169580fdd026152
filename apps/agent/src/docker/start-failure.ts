import type { JobEndReason } from '@dstack/agent-protocol';
import type { PayloadFallbacks } from './container-payload.js';

/** What to change for one more try after the engine refused to start a container; undefined when nothing would help. */
export function nextFallback(message: string, tried: PayloadFallbacks): PayloadFallbacks | undefined {
  if (!tried.withoutDisplay && message.includes('/dev/nvidia-modeset')) return { ...tried, withoutDisplay: true };
  if (!tried.withoutInit && /docker-init|"tini"|init binary/i.test(message)) return { ...tried, withoutInit: true };
  return undefined;
}

export function failureReason(message: string): JobEndReason {
  return /port is already allocated|address already in use/i.test(message)
    ? 'ports_binding_failed'
    : 'creating_container_error';
}

/** The engine's words, with what to do about those that never say it. */
export function explainStartFailure(message: string): string {
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return hint === undefined ? message : `${message} (${hint})`;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/could not select device driver.*gpu/is, 'install the NVIDIA Container Toolkit on the host'],
  [
    /unknown or invalid runtime name: habana|unknown runtime specified habana/i,
    "install Habana's container runtime on the host",
  ],
  [/exec format error/i, 'the image is built for another processor architecture'],
];
