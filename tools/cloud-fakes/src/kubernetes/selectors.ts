import type { Stored } from './objects.js';

/** `a=b,c=d`; the other forms of selectors are not used. @returns undefined for one that is not understood */
export function byLabels(selector: string | null): ((object: Stored) => boolean) | undefined {
  const wanted = terms(selector, /^([^=!]+)==?([^=!]*)$/);
  if (wanted === undefined) return undefined;
  return ({ metadata }) => wanted.every(([, key = '', value]) => metadata.labels?.[key] === value);
}

/** Of pods: `status.phase`, `spec.nodeName` and `metadata.name`, equal or not. */
export function byFields(selector: string | null): ((object: Stored) => boolean) | undefined {
  const wanted = terms(selector, /^(status\.phase|spec\.nodeName|metadata\.name)(!?=)([^=!]*)$/);
  if (wanted === undefined) return undefined;
  return (object) =>
    wanted.every(([, path = '', operator, value]) => (fieldOf(object, path) === value) === (operator === '='));
}

function terms(selector: string | null, form: RegExp): RegExpExecArray[] | undefined {
  const parts = (selector ?? '').split(',').filter((part) => part !== '');
  const read = parts.map((part) => form.exec(part));
  return read.every((match) => match !== null) ? read : undefined;
}

function fieldOf({ metadata, spec, status }: Stored, path: string): unknown {
  if (path === 'metadata.name') return metadata.name;
  return (path === 'status.phase' ? status?.['phase'] : spec?.['nodeName']) ?? '';
}
