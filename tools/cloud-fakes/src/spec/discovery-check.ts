import { readFileSync } from 'node:fs';

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly readOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly annotations?: { readonly required?: readonly string[] };
}

interface Parameter {
  readonly location: 'path' | 'query';
  readonly pattern?: string;
  readonly required?: boolean;
}

interface Method {
  readonly httpMethod: string;
  readonly flatPath: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly request?: Schema;
  readonly response?: Schema;
}

interface Document {
  readonly name: string;
  readonly servicePath: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly methods: Readonly<Record<string, Method>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

export interface DiscoveredCall {
  /** As Google calls it: `instances.insert`. */
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Compares what goes over the wire with a Discovery document, in which Google describes its REST APIs. */
export class DiscoveryCheck {
  private readonly document: Document;
  private readonly paths: readonly { readonly name: string; readonly verb: string; readonly pattern: RegExp }[];

  constructor(file: URL) {
    // Published by Google; what is looked for in it is checked when it is found.
    this.document = JSON.parse(readFileSync(file, 'utf8')) as Document;
    const { servicePath, methods } = this.document;
    this.paths = Object.entries(methods).map(([name, { flatPath, httpMethod: verb }]) => ({
      name,
      verb,
      pattern: new RegExp(`^/${servicePath}${flatPath.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
    }));
  }

  /** Null: Google has no such path. */
  find(verb: string, path: string): DiscoveredCall | null {
    for (const { name, verb: own, pattern } of this.paths) {
      const found = own === verb ? pattern.exec(path) : null;
      if (found === null) continue;
      const values = Object.entries(found.groups ?? {}).map(
        ([key, value]) => [key, decodeURIComponent(value)] as const,
      );
      return { method: name, parameters: new Map(values) };
    }
    return null;
  }

  /** What is wrong with a request; nothing: []. */
  request({ method, parameters }: DiscoveredCall, query: URLSearchParams, body: unknown): string[] {
    const found = this.method(method);
    const problems: string[] = [];
    for (const name of query.keys()) {
      const known = found.parameters[name] ?? this.document.parameters[name];
      if (known?.location !== 'query') problems.push(`${method} has no query parameter ${name}`);
    }
    for (const [name, value] of parameters) {
      const pattern = found.parameters[name]?.pattern;
      if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value))
        problems.push(`${method}: ${value} is no ${name}`);
    }
    if (found.request === undefined) {
      if (body !== undefined) problems.push(`${method} takes no body`);
    } else {
      this.compare(found.request, body ?? {}, method, { problems, requiredBy: `${this.document.name}.${method}` });
    }
    return problems;
  }

  response({ method }: DiscoveredCall, body: unknown): string[] {
    const problems: string[] = [];
    const { response } = this.method(method);
    if (response !== undefined) this.compare(response, body, `answer of ${method}`, { problems, requiredBy: null });
    return problems;
  }

  private method(name: string): Method {
    const found = this.document.methods[name];
    if (found === undefined) throw new Error(`the document has no method ${name}`);
    return found;
  }

  private compare(given: Schema, value: unknown, at: string, check: Check): void {
    const schema = given.$ref === undefined ? given : this.document.schemas[given.$ref];
    if (schema === undefined) throw new Error(`the document has no schema ${given.$ref}`);
    const problem = schema.type === 'object' || schema.type === 'any' ? null : whyNot(schema, value);
    if (problem !== null) check.problems.push(`${at}: ${problem}`);
    if (schema.type === 'array' && schema.items !== undefined && Array.isArray(value)) {
      for (const [index, each] of value.entries()) this.compare(schema.items, each, `${at}[${index}]`, check);
    }
    if (schema.type === 'object') this.compareObject(schema, value, at, check);
  }

  private compareObject({ properties, additionalProperties }: Schema, value: unknown, at: string, check: Check): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      check.problems.push(`${at}: is no object`);
      return;
    }
    for (const [key, each] of Object.entries(value)) {
      const schema = properties?.[key] ?? additionalProperties;
      if (schema === undefined) check.problems.push(`${at} has no member ${key}`);
      else if (schema.readOnly === true && check.requiredBy !== null)
        check.problems.push(`${at}.${key} is Google's own`);
      else if (each !== undefined) this.compare(schema, each, `${at}.${key}`, check);
    }
    for (const [key, schema] of Object.entries(properties ?? {})) {
      const isRequired = check.requiredBy !== null && schema.annotations?.required?.includes(check.requiredBy) === true;
      if (isRequired && !(key in value)) check.problems.push(`${at} needs ${key}`);
    }
  }
}

interface Check {
  readonly problems: string[];
  /** Null: an answer. */
  readonly requiredBy: string | null;
}

function whyNot({ type, format, enum: values }: Schema, value: unknown): string | null {
  switch (type) {
    case 'string': {
      if (typeof value !== 'string') return `${JSON.stringify(value)} is no text`;
      if (values !== undefined && !values.includes(value)) return `${value} is none of ${values.join(', ')}`;
      const isNumber = format === 'int64' || format === 'uint64';
      return isNumber && !/^-?\d+$/.test(value) ? `${value} is no ${format}` : null;
    }
    case 'integer':
      return Number.isInteger(value) ? null : `${JSON.stringify(value)} is no integer`;
    case 'number':
      return typeof value === 'number' ? null : `${JSON.stringify(value)} is no number`;
    case 'boolean':
      return typeof value === 'boolean' ? null : `${JSON.stringify(value)} is neither true nor false`;
    case 'array':
      return Array.isArray(value) ? null : 'is no list';
    default:
      return `the document knows no type ${type}`;
  }
}
