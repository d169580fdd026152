import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** Compares what goes over the wire with an API's published description. */
export class OpenApiCheck {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  private readonly document: { readonly paths: Readonly<Record<string, object>> };
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(file: URL) {
    // Published by the API's makers; what is looked for in it is checked when it is found.
    this.document = JSON.parse(readFileSync(file, 'utf8')) as OpenApiCheck['document'];
    this.ajv.addSchema(this.document, 'api');
  }

  /** What is wrong with a request's body; null: nothing, and the operation is known. */
  request(method: string, template: string, body: unknown): string | null {
    const pointer = `${operation(method, template)}/requestBody/content/application~1json/schema`;
    return this.compare(pointer, body, `${method} ${template}`);
  }

  response(method: string, template: string, status: number, body: unknown): string | null {
    const pointer = `${operation(method, template)}/responses/${status}/content/application~1json/schema`;
    return this.compare(pointer, body, `${status} of ${method} ${template}`);
  }

  private compare(pointer: string, value: unknown, what: string): string | null {
    const validate = this.compiled.get(pointer) ?? this.ajv.compile({ $ref: `api#${pointer}` });
    this.compiled.set(pointer, validate);
    return validate(value) ? null : `${what}: ${this.ajv.errorsText(validate.errors)}`;
  }
}

function operation(method: string, template: string): string {
  return `/paths/${template.replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}`;
}
