import { CONTRACT_JSON, type OperationId } from './generated/contract-document.js';

export type { OperationId };

/** The keywords the contract uses; anything else in a schema is a note for people. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly discriminator?: { readonly propertyName: string; readonly mapping: Readonly<Record<string, string>> };
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly default?: unknown;
}

export type AccessLevel =
  | 'none'
  | 'authenticated'
  | 'global_admin'
  | 'project_admin'
  | 'project_manager'
  | 'project_member'
  | 'project_member_or_public'
  | 'project_manager_or_public'
  | 'project_manager_or_self_leave'
  | 'fleet_project_member_or_importer'
  | 'gateway_project_member_or_public_or_importer'
  | 'instance_project_member_or_importer'
  | 'service_account'
  | 'optional_service_account'
  | 'proxy_project_member'
  | 'proxy_project_member_if_service_auth';

export interface ContractOperation {
  readonly id: OperationId;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  readonly path: string;
  readonly access: AccessLevel;
  readonly tag: string;
  readonly body?: { readonly mediaType: string; readonly required: boolean; readonly schema: JsonSchema };
  readonly query: readonly { readonly name: string; readonly required: boolean; readonly schema: JsonSchema }[];
  readonly replyMediaType: string;
  readonly reply: JsonSchema;
}

interface ContractDocument {
  readonly operations: readonly ContractOperation[];
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

const document = JSON.parse(CONTRACT_JSON) as ContractDocument; // generated and checked against the contract

export const CONTRACT_OPERATIONS = document.operations;
export const CONTRACT_SCHEMAS = document.schemas;

const byId = new Map(CONTRACT_OPERATIONS.map((operation) => [operation.id, operation]));

export function contractOperation(id: OperationId): ContractOperation {
  const operation = byId.get(id);
  if (operation === undefined) throw new Error(`The contract has no operation ${id}.`);
  return operation;
}

export function resolveSchema(schema: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  const target = CONTRACT_SCHEMAS[name];
  if (target === undefined) throw new Error(`The contract has no schema ${name}.`);
  return target;
}
