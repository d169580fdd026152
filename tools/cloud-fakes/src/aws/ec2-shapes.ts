import { readFileSync } from 'node:fs';

interface Member {
  readonly shape: string;
  readonly locationName?: string;
  readonly queryName?: string;
}

type Shape =
  | {
      readonly type: 'structure';
      readonly members: Readonly<Record<string, Member>>;
      readonly required?: readonly string[];
    }
  | { readonly type: 'list'; readonly member: Member }
  | { readonly type: 'string'; readonly enum?: readonly string[] }
  | { readonly type: 'integer' | 'long' | 'float' | 'double' | 'boolean' | 'timestamp' | 'blob' };

interface Model {
  readonly apiVersion: string;
  readonly xmlNamespace: string;
  readonly operations: Readonly<Record<string, { readonly input: string; readonly output?: string }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

// AWS's own model, as its SDKs are generated from.
const MODEL = JSON.parse(readFileSync(new URL('../../specs/ec2-2016-11-15.json', import.meta.url), 'utf8')) as Model;

export const EC2_NAMESPACE = `${MODEL.xmlNamespace}/`;

/** Says what is asked or answered that the model does not have. */
export type Complain = (text: string) => void;

/** The form of a request as the values its operation takes. Null: no such operation. */
export function readForm(form: URLSearchParams, complain: Complain): Record<string, unknown> | null {
  const operation = MODEL.operations[form.get('Action') ?? ''];
  if (operation === undefined) return null;
  const fields = new Map([...form].filter(([name]) => name !== 'Action' && name !== 'Version'));
  const taken = new Set<string>();
  const value = readShape(operation.input, '', fields, taken);
  for (const name of fields.keys()) if (!taken.has(name)) complain(`${form.get('Action')} has no member ${name}`);
  checkRequired(operation.input, value, complain);
  // Inputs are structures.
  return (value ?? {}) as Record<string, unknown>;
}

function readShape(name: string, at: string, fields: Map<string, string>, taken: Set<string>): unknown {
  const shape = shapeOf(name);
  switch (shape.type) {
    case 'structure': {
      const entries = Object.entries(shape.members).flatMap(([key, member]) => {
        const value = readShape(member.shape, join(at, queryName(key, member)), fields, taken);
        return value === undefined ? [] : [[key, value] as const];
      });
      return entries.length === 0 ? undefined : Object.fromEntries(entries);
    }
    case 'list': {
      const values: unknown[] = [];
      for (let index = 1; ; index += 1) {
        const value = readShape(shape.member.shape, join(at, String(index)), fields, taken);
        if (value === undefined) return values.length === 0 ? undefined : values;
        values.push(value);
      }
    }
    default: {
      const text = fields.get(at);
      if (text === undefined) return undefined;
      taken.add(at);
      if (shape.type === 'boolean') return text === 'true';
      return shape.type === 'integer' || shape.type === 'long' ? Number(text) : text;
    }
  }
}

function checkRequired(name: string, value: unknown, complain: Complain): void {
  const shape = shapeOf(name);
  if (shape.type === 'list' && Array.isArray(value)) {
    for (const each of value) checkRequired(shape.member.shape, each, complain);
  }
  if (shape.type !== 'structure' || typeof value !== 'object' || value === null) return;
  const members = value as Readonly<Record<string, unknown>>;
  for (const each of shape.required ?? []) if (members[each] === undefined) complain(`${name} needs ${each}`);
  for (const [key, member] of Object.entries(shape.members)) {
    const given = members[key];
    const target = shapeOf(member.shape);
    if (given !== undefined) checkRequired(member.shape, given, complain);
    if (
      target.type === 'string' &&
      target.enum !== undefined &&
      given !== undefined &&
      !target.enum.includes(given as string)
    )
      complain(`${name}.${key} is not ${JSON.stringify(given)}`);
  }
}

/** An answer as EC2 writes it. */
export function writeXml(action: string, value: object, complain: Complain): string {
  const output = MODEL.operations[action]?.output;
  const body = output === undefined ? '<return>true</return>' : writeShape(output, value, complain);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="${EC2_NAMESPACE}"><requestId>fake</requestId>${body}</${action}Response>`;
}

function writeShape(name: string, value: unknown, complain: Complain): string {
  const shape = shapeOf(name);
  if (shape.type === 'structure') {
    const given = value as Readonly<Record<string, unknown>>;
    return Object.entries(given)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => {
        const member = shape.members[key];
        if (member === undefined) {
          complain(`the fake answers ${name}.${key}, which EC2 has not`);
          return '';
        }
        return element(member.locationName ?? key, writeShape(member.shape, each, complain));
      })
      .join('');
  }
  if (shape.type === 'list') {
    const { member } = shape;
    return (value as readonly unknown[])
      .map((each) => element(member.locationName ?? 'item', writeShape(member.shape, each, complain)))
      .join('');
  }
  if (shape.type === 'string' && shape.enum !== undefined && !shape.enum.includes(String(value)))
    complain(`the fake answers ${String(value)}, which is no ${name}`);
  return escapeXml(value instanceof Date ? value.toISOString() : String(value));
}

function shapeOf(name: string): Shape {
  const shape = MODEL.shapes[name];
  if (shape === undefined) throw new Error(`the model has no shape ${name}`);
  return shape;
}

/** EC2's own protocol: the location's name with a capital, unless the query has one of its own. */
function queryName(key: string, { queryName: own, locationName }: Member): string {
  if (own !== undefined) return own;
  return locationName === undefined ? key : `${locationName.charAt(0).toUpperCase()}${locationName.slice(1)}`;
}

const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
