import { readFileSync } from 'node:fs';

/** Says what is asked or answered that the model does not have. */
export type Complain = (text: string) => void;

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
  | { readonly type: 'integer' | 'long' | 'float' | 'double' | 'boolean' | 'timestamp' | 'blob' | 'map' };

interface Model {
  /** EC2 has one of its own; `query` is that of the older services, `json` that of the newer ones. */
  readonly protocol: 'ec2' | 'query' | 'json';
  readonly apiVersion: string;
  readonly xmlNamespace: string;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

interface Operation {
  readonly input: string;
  readonly output?: string;
  readonly resultWrapper?: string;
  /** The codes it may be refused with. EC2's model does not say. */
  readonly errors?: readonly string[];
}

/** AWS's own model of one service, as its SDKs are generated from. */
export class AwsModel {
  private readonly model: Model;

  /** @param file in `specs` */
  constructor(file: string) {
    this.model = JSON.parse(readFileSync(new URL(`../../specs/${file}`, import.meta.url), 'utf8')) as Model;
  }

  /** The form of a request as the values its operation takes. Null: no such operation. */
  readForm(form: URLSearchParams, complain: Complain): Record<string, unknown> | null {
    const operation = this.model.operations[form.get('Action') ?? ''];
    if (operation === undefined) return null;
    const fields = new Map([...form].filter(([name]) => name !== 'Action' && name !== 'Version'));
    const taken = new Set<string>();
    const value = this.readShape(operation.input, '', fields, taken);
    for (const name of fields.keys()) if (!taken.has(name)) complain(`${form.get('Action')} has no member ${name}`);
    this.checkRequired(operation.input, value, complain);
    // Inputs are structures.
    return (value ?? {}) as Record<string, unknown>;
  }

  private readShape(name: string, at: string, fields: Map<string, string>, taken: Set<string>): unknown {
    const shape = this.shapeOf(name);
    switch (shape.type) {
      case 'structure': {
        const entries = Object.entries(shape.members).flatMap(([key, member]) => {
          const value = this.readShape(member.shape, join(at, this.queryName(key, member)), fields, taken);
          return value === undefined ? [] : [[key, value] as const];
        });
        return entries.length === 0 ? undefined : Object.fromEntries(entries);
      }
      case 'list': {
        const values: unknown[] = [];
        for (let index = 1; ; index += 1) {
          const value = this.readShape(
            shape.member.shape,
            join(at, this.model.protocol === 'query' ? `member.${index}` : String(index)),
            fields,
            taken,
          );
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

  private checkRequired(name: string, value: unknown, complain: Complain): void {
    const shape = this.shapeOf(name);
    if (shape.type === 'list' && Array.isArray(value)) {
      for (const each of value) this.checkRequired(shape.member.shape, each, complain);
    }
    if (shape.type !== 'structure' || typeof value !== 'object' || value === null) return;
    const members = value as Readonly<Record<string, unknown>>;
    for (const each of shape.required ?? []) if (members[each] === undefined) complain(`${name} needs ${each}`);
    for (const [key, member] of Object.entries(shape.members)) {
      const given = members[key];
      const target = this.shapeOf(member.shape);
      if (given !== undefined) this.checkRequired(member.shape, given, complain);
      if (
        target.type === 'string' &&
        target.enum !== undefined &&
        given !== undefined &&
        !target.enum.includes(given as string)
      )
        complain(`${name}.${key} is not ${JSON.stringify(given)}`);
    }
  }

  /** That of a service that speaks JSON. */
  readJson(action: string, text: string, complain: Complain): Record<string, unknown> | null {
    const operation = this.model.operations[action];
    if (operation === undefined) return null;
    const value = JSON.parse(text) as Record<string, unknown>;
    const { members } = this.shapeOf(operation.input) as { members: Readonly<Record<string, Member>> };
    for (const name of Object.keys(value)) if (members[name] === undefined) complain(`${action} has no member ${name}`);
    this.checkRequired(operation.input, value, complain);
    return value;
  }

  /** A code that the operation is not refused with is a mistake of the fake. */
  checkRefusal(action: string, code: string, complain: Complain): void {
    const known = this.model.operations[action]?.errors;
    if (known !== undefined && !known.includes(code))
      complain(`the fake refuses ${action} with ${code}, which AWS does not`);
  }

  /** An answer as AWS writes it. */
  writeXml(action: string, value: object, complain: Complain): string {
    const { output, resultWrapper } = this.model.operations[action] ?? {};
    const body = output === undefined ? '<return>true</return>' : this.writeShape(output, value, complain);
    const namespace = this.model.xmlNamespace.replace(/\/?$/, '/');
    const content =
      resultWrapper === undefined
        ? `<requestId>fake</requestId>${body}`
        : `${element(resultWrapper, body)}<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata>`;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="${namespace}">${content}</${action}Response>`;
  }

  private writeShape(name: string, value: unknown, complain: Complain): string {
    const shape = this.shapeOf(name);
    if (shape.type === 'structure') {
      const given = value as Readonly<Record<string, unknown>>;
      return Object.entries(given)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => {
          const member = shape.members[key];
          if (member === undefined) {
            complain(`the fake answers ${name}.${key}, which AWS has not`);
            return '';
          }
          return element(member.locationName ?? key, this.writeShape(member.shape, each, complain));
        })
        .join('');
    }
    if (shape.type === 'list') {
      const { member } = shape;
      return (value as readonly unknown[])
        .map((each) =>
          element(
            member.locationName ?? (this.model.protocol === 'query' ? 'member' : 'item'),
            this.writeShape(member.shape, each, complain),
          ),
        )
        .join('');
    }
    if (shape.type === 'string' && shape.enum !== undefined && !shape.enum.includes(String(value)))
      complain(`the fake answers ${String(value)}, which is no ${name}`);
    return escapeXml(value instanceof Date ? value.toISOString() : String(value));
  }

  private shapeOf(name: string): Shape {
    const shape = this.model.shapes[name];
    if (shape === undefined) throw new Error(`the model has no shape ${name}`);
    return shape;
  }

  /** In EC2's own protocol the location's name with a capital, unless the query has one of its own. */
  private queryName(key: string, { queryName: own, locationName }: Member): string {
    if (own !== undefined) return own;
    if (this.model.protocol !== 'ec2') return locationName ?? key;
    return locationName === undefined ? key : `${locationName.charAt(0).toUpperCase()}${locationName.slice(1)}`;
  }
}

const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
