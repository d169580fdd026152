import type { Wire } from '@dstack/core';
import { formatRange, type Range } from './resources.js';

export interface SpecChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Differences the user cannot mean: who applies, and from where. */
const IGNORED = new Set(['ssh_key_pub', 'configuration_path', 'profile.name', 'profile.default']);
/** Values that may be secret: only that they changed is told. */
const HIDDEN = /^configuration\.(env|registry_auth)\b/;
const NAMES: Readonly<Record<string, string>> = {
  repo_id: 'Repo ID',
  repo_code_hash: 'Repo files',
  repo_data: 'Repo state',
  file_archives: 'File archives',
  'configuration.type': 'Configuration type',
};
/** Ranges of sizes are stored as plain numbers. */
const IN_GIGABYTES = /(^|\.)(memory|total_memory|shm_size|disk\.size)$/;
const LONGEST = 60;
/** How much of what did not change stands before what did. */
const CONTEXT = 16;

/** What differs between two run specifications, with values. Pure. */
export function diffRunSpecs(before: Wire.RunSpec, after: Wire.RunSpec): SpecChange[] {
  return diffValues(before, after, '').filter((change) => !IGNORED.has(change.path));
}

/** Nested bullets: `- priority: 0 → 5`. */
export function renderChanges(changes: readonly SpecChange[]): string {
  return changes
    .map((change) => {
      const name = NAMES[change.path] ?? change.path.replace(/^configuration\./, '');
      const hidden =
        HIDDEN.test(change.path) || change.path === 'repo_code_hash' || change.path.startsWith('file_archives');
      return hidden ? `- ${name} (changed)` : `- ${name}: ${change.before} → ${change.after}`;
    })
    .join('\n');
}

/** What differs between two values of JSON, by path. Pure. */
export function diffValues(before: unknown, after: unknown, path: string): SpecChange[] {
  if (isRange(before) && isRange(after)) {
    const unit = IN_GIGABYTES.test(path) ? 'GB' : '';
    const change = { path, before: formatRange(before, unit), after: formatRange(after, unit) };
    return change.before === change.after ? [] : [change];
  }
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffValues(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  const a = JSON.stringify(before ?? null);
  const b = JSON.stringify(after ?? null);
  if (a === b) return [];
  const from = Math.max(Math.max(a.length, b.length) > LONGEST ? commonLength(a, b) - CONTEXT : 0, 0);
  return [{ path, before: excerpt(a, from), after: excerpt(b, from) }];
}

/** The part of a long text where it begins to differ. */
function excerpt(json: string, from: number): string {
  if (json === 'null') return 'unset';
  const text = json.startsWith('"') ? json.slice(1, -1) : json;
  const rest = from === 0 ? text : `…${text.slice(from)}`;
  return rest.length > LONGEST ? `${rest.slice(0, LONGEST - 1)}…` : rest;
}

function commonLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

function isRange(value: unknown): value is Range {
  if (!isMapping(value)) return false;
  const keys = Object.keys(value);
  const isBound = (bound: unknown) => bound === null || typeof bound === 'number';
  return keys.length > 0 && keys.every((key) => (key === 'min' || key === 'max') && isBound(value[key]));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function ignoringPaths(changes: readonly SpecChange[], pattern: RegExp): SpecChange[] {
  return changes.filter((change) => !pattern.test(change.path));
}
