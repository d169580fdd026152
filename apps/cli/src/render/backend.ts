import type { Wire } from '@dstack/core';

/** Replies of newer servers carry the finer name of a backend (`local`) beside the contract's (`remote`). */
function displayed(source: object): string | undefined {
  return 'backend_display' in source && typeof source.backend_display === 'string' ? source.backend_display : undefined;
}

/** `aws (us-west-2)`, `ssh (remote)`, `local`. */
export function formatBackend(source: { backend: Wire.BackendType; region: string }): string {
  const name = displayed(source);
  if (name === 'local') return 'local';
  if (source.backend !== 'remote') return `${name ?? source.backend} (${source.region})`;
  return source.region === 'local' ? 'local' : `ssh (${source.region})`;
}

export function backendName(source: { backend: Wire.BackendType; region: string }): string {
  return formatBackend(source).split(' ')[0] ?? source.backend;
}
