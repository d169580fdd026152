import { readFileSync } from 'node:fs';
import { SourceClient, type SourceWorld } from '../../src/refresh/index.js';

export type Reply = string | Response | (() => Response);

const LISTS = new URL('../price-lists/', import.meta.url);

export function priceList(file: string): string {
  return readFileSync(new URL(file, LISTS), 'utf8');
}

export interface Replayed {
  readonly source: SourceClient;
  /** URLs in the order they were asked. */
  readonly asked: string[];
  /** Milliseconds of each pause. */
  readonly pauses: number[];
}

/** A network that answers the first of these whose key the URL contains; anything else is 404. */
export function replayed(replies: Readonly<Record<string, Reply>>, world: Partial<SourceWorld> = {}): Replayed {
  const asked: string[] = [];
  const pauses: number[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    const [, reply] = Object.entries(replies).find(([part]) => decodeURIComponent(url).includes(part)) ?? [];
    if (reply === undefined) return new Response('no such page', { status: 404, statusText: 'Not Found' });
    if (typeof reply === 'function') return reply();
    return typeof reply === 'string' ? new Response(reply) : reply;
  };
  const sleep = async (ms: number): Promise<void> => void pauses.push(ms);
  const source = new SourceClient(
    { fetch, sleep, now: () => Date.parse('2026-11-30T00:00:00Z'), random: () => 1, ...world },
    new AbortController().signal,
  );
  return { source, asked, pauses };
}
