import { profileParameters, profilesFileSchema } from '../profiles/profile-parameters.js';
import { resourcesSchema } from '../resources/resources-schema.js';
import { env } from './fields/env.js';
import { instanceSelector } from './fields/instance-selector.js';
import { portMapping } from './fields/port.js';
import { replicaGroups } from './fields/replica-group.js';
import { type JsonSchema, inputJsonSchema } from './schema/json-schema.js';
import { configurationTypes, schemaOf } from './validate.js';

/** The JSON Schema by which editors complete and check `.dstack.yml` and `profiles.yml`, shorthands included. */
export function editorSchema(): JsonSchema {
  const shared = new Map(sharedSchemas().map(([name, schema]) => [JSON.stringify(schema), name]));
  const roots = [
    ...configurationTypes.map((type) => [type, inputJsonSchema(schemaOf(type))] as const),
    ['profiles', inputJsonSchema(profilesFileSchema())] as const,
  ];
  const definitions = [...sharedSchemas(), ...roots].map(
    ([name, schema]) => [name, withReferences(schema, shared, name)] as const,
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'dstack configuration',
    anyOf: roots.map(([name]) => ({ $ref: `#/definitions/${name}` })),
    definitions: Object.fromEntries(definitions),
  };
}

function sharedSchemas(): (readonly [string, JsonSchema])[] {
  const parameters = Object.entries(profileParameters()).map(
    ([name, schema]) => [`parameter-${name}`, inputJsonSchema(schema)] as const,
  );
  return [
    ['resources', inputJsonSchema(resourcesSchema())],
    ['env', inputJsonSchema(env())],
    ['instance', inputJsonSchema(instanceSelector())],
    ['port', inputJsonSchema(portMapping())],
    ['replica-groups', inputJsonSchema(replicaGroups())],
    ...parameters,
  ];
}

/** Writes what is used in many places once. */
function withReferences(schema: unknown, shared: ReadonlyMap<string, string>, inside: string): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((item: unknown) => withReferences(item, shared, inside));
  const name = shared.get(JSON.stringify(schema));
  if (name !== undefined && name !== inside) return { $ref: `#/definitions/${name}` };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withReferences(value, shared, inside)]));
}
