/** The engine's answer to a request it refused; undefined when it did not answer at all. */
export function engineStatus(error: unknown): number | undefined {
  const status = property(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/** The engine's own words, without the client's wrapping of them. */
export function describeEngineError(error: unknown): string {
  const body = property(error, 'json');
  const said = property(body, 'message');
  if (typeof said === 'string' && said !== '') return said;
  const unreachable = describeUnreachable(error);
  if (unreachable !== undefined) return unreachable;
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^\(HTTP code \d+\) [\w ]+ - /, '').trim();
}

/** Why no engine answers, with what to do; undefined when one does. */
export function describeUnreachable(error: unknown): string | undefined {
  const path = property(error, 'address');
  const where = typeof path === 'string' ? path : 'its socket';
  switch (property(error, 'code')) {
    case 'ENOENT':
      return `no Docker Engine: ${where} is not there. Install Docker, or start it`;
    case 'ECONNREFUSED':
      return `Docker Engine does not listen on ${where}: start it`;
    case 'EACCES':
    case 'EPERM':
      return `this user may not use Docker (${where}): add it to the group "docker", or run the agent as root`;
    default:
      return undefined;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
