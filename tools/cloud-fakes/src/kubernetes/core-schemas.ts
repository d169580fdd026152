import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Schema {
  properties?: object;
  additionalProperties?: unknown;
}

const FILE = new URL('../../specs/kubernetes-core-v1-1.36.3.json', import.meta.url);
const CORE = 'io.k8s.api.core.v1.';
export const STATUS = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';

/** What Kubernetes publishes of its core API. A field it does not have is wrong: the real server drops it without a word. */
export class CoreSchemas {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor() {
    const document = JSON.parse(readFileSync(FILE, 'utf8')) as { components: { schemas: Record<string, Schema> } };
    for (const schema of Object.values(document.components.schemas))
      if (schema.properties !== undefined && schema.additionalProperties === undefined)
        schema.additionalProperties = false;
    this.ajv.addSchema(document, 'core');
  }

  /** What is wrong with the value; null: nothing. @param type a kind of core/v1, or a full name */
  problem(type: string, value: unknown): string | null {
    const name = type.includes('.') ? type : `${CORE}${type}`;
    const validate = this.compiled.get(name) ?? this.ajv.compile({ $ref: `core#/components/schemas/${name}` });
    this.compiled.set(name, validate);
    return validate(value) ? null : `${type}: ${this.ajv.errorsText(validate.errors)}`;
  }
}
