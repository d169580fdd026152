import { z } from 'zod';
import { parseToolJson } from '../gpu/tool-value.js';
import { failure, type Incident, warning } from './incident.js';

export const DCGM_CHECK_ARGS = ['health', '-c', '-j'] as const;
export const DCGM_WATCH_ARGS = ['health', '-s', 'a'] as const;

const report = z.object({ body: z.record(z.string(), z.unknown()) });

export function wantsWatches(text: string): boolean {
  return text.includes('Health watches not enabled');
}

/** The report's tree is device kind → number → `Errors` → system, which has a word for its health and the message in pieces. */
export function judgeDcgm(text: string): Incident[] {
  const parsed = report.safeParse(parseToolJson(text));
  if (!parsed.success) return [];
  return Object.entries(parsed.data.body).flatMap(([kind, node]) =>
    children(node).flatMap(([number, device]) =>
      children(device).flatMap(([, errors]) =>
        children(errors).flatMap(([system, entry]) => toIncident(`${kind} ${number}`, system, entry)),
      ),
    ),
  );
}

function toIncident(device: string, system: string, entry: unknown): Incident[] {
  const health = word(entry);
  if (health !== 'Warning' && health !== 'Failure') return [];
  const said = texts(entry)
    .filter((each) => each !== health)
    .join(' ')
    .trim();
  const sentence = `${device}: ${system}${said === '' ? '' : `: ${said}`} (DCGM)`;
  return [health === 'Failure' ? failure(sentence) : warning(sentence)];
}

function children(node: unknown): [string, unknown][] {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return [];
  // Some versions put another level between a node and what is below it.
  return Object.entries(node).flatMap(([name, value]): [string, unknown][] =>
    name === 'children' ? children(value) : name === 'value' || name === 'overflow' ? [] : [[name, value]],
  );
}

function word(node: unknown): string | undefined {
  if (typeof node === 'string') return node;
  return typeof node === 'object' && node !== null && 'value' in node && typeof node.value === 'string'
    ? node.value
    : undefined;
}

function texts(node: unknown): string[] {
  if (typeof node === 'string') return [node];
  return typeof node === 'object' && node !== null ? Object.values(node).flatMap(texts) : [];
}
