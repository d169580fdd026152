import { Logger } from '@nestjs/common';
import { ClientError } from '../http/api-errors.js';
import type { Policy, PolicyKind, PolicyRequest } from './policies.js';

/** The name of the built-in plugin in `plugins` of `config.yml`, as dstack 0.21 has it. */
export const REST_PLUGIN = 'rest_plugin';

const MOST_BYTES = 8 * 1024 * 1024;

/** Asks the plugin service of the contract (`rest_plugin` of its agent API): one POST for each thing that is applied. */
export class RestPolicy implements Policy {
  readonly name = REST_PLUGIN;
  private readonly log = new Logger('Policies');

  constructor(private readonly serviceUri: string) {}

  async ask(kind: PolicyKind, request: PolicyRequest, signal: AbortSignal): Promise<unknown> {
    const reply = await this.post(`/apply_policies/on_${kind}_apply`, request, signal);
    const answer = await readAnswer(reply).catch(() => null);
    if (answer === null) {
      this.log.error(`The plugin service at ${this.origin} answered ${kind} with something that is no answer`);
      throw new ClientError('Plugin service returned an invalid response. Nothing was applied');
    }
    if (answer.error !== null) throw new ClientError(`Apply request rejected: ${answer.error}`);
    return answer.spec;
  }

  private async post(path: string, body: object, signal: AbortSignal): Promise<Response> {
    let reply: Response;
    try {
      reply = await fetch(this.serviceUri.replace(/\/+$/, '') + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw error; // too late, which is told by whoever waited
      this.log.error(`The plugin service at ${this.origin} does not answer: ${String(error)}`);
      throw new ClientError('Could not connect to the plugin service. Nothing was applied');
    }
    if (reply.ok) return reply;
    this.log.error(`The plugin service at ${this.origin} answered ${reply.status}`);
    throw new ClientError(`Request to the plugin service failed (${reply.status}). Nothing was applied`);
  }

  /** An address may hold a password. */
  private get origin(): string {
    return new URL(this.serviceUri).origin;
  }
}

async function readAnswer(reply: Response): Promise<{ readonly spec: unknown; readonly error: string | null } | null> {
  const text = await reply.text();
  if (text.length > MOST_BYTES) return null;
  const value = JSON.parse(text) as unknown;
  if (typeof value !== 'object' || value === null || !('spec' in value)) return null;
  const error = 'error' in value ? value.error : null;
  if (error !== null && (typeof error !== 'string' || error === '')) return null;
  return { spec: value.spec, error };
}
