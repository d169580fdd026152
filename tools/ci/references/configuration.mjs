import { editorSchema } from '../../../libs/core/dist/configuration/editor-schema.js';
import { code, table } from './table.mjs';

const KINDS = ['task', 'dev-environment', 'service', 'fleet', 'volume', 'gateway', 'preset', 'profiles'];
/** Objects that are told of where they stand, to this depth. */
const DEEPEST = 3;
/** Of the values that a field may have. */
const MOST_NAMES = 10;

/** The fields of every kind of configuration, as the parser takes them. */
export function configurationReference() {
  const { definitions } = editorSchema();
  const resolve = (schema) =>
    schema.$ref === undefined ? schema : resolve(definitions[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]);
  const typeOf = (given) => {
    const all = [...new Set(names(given))].filter((name) => name !== 'null');
    const shown = all.length > MOST_NAMES ? [...all.slice(0, MOST_NAMES), `${all.length - MOST_NAMES} more`] : all;
    return shown.join(' or ') || 'anything';
  };
  const names = (given) => {
    const schema = resolve(given);
    const any = schema.anyOf ?? schema.oneOf;
    if (any !== undefined) return any.flatMap(names);
    if (schema.const !== undefined) return [code(schema.const)];
    if (schema.enum !== undefined) return schema.enum.map(code);
    if (schema.type === 'array') return [`list of ${schema.items === undefined ? 'anything' : typeOf(schema.items)}`];
    if (schema.type === 'object') return ['mapping'];
    return schema.type === undefined ? ['anything'] : [schema.type].flat();
  };
  /** What a mapping, or one of its alternatives, has in it. */
  const membersOf = (given) => {
    const schema = resolve(given);
    const own = Object.entries(schema.properties ?? {}).map(([name, value]) => [name, value, schema.required ?? []]);
    const others = [...(schema.anyOf ?? schema.oneOf ?? []), ...(schema.items === undefined ? [] : [schema.items])];
    const all = [...own, ...others.flatMap(membersOf)];
    return [...new Map(all.map((member) => [member[0], member])).values()];
  };
  const rowsOf = (schema, path = '', depth = 1) =>
    membersOf(schema).flatMap(([name, value, required]) => {
      const resolved = resolve(value);
      const fallback = resolved.default ?? value.default;
      const shown = fallback === undefined || fallback === null || typeof fallback === 'object' ? '' : code(fallback);
      const row = [code(path + name), typeOf(value), required.includes(name) ? 'required' : shown];
      return [row, ...(depth < DEEPEST ? rowsOf(value, `${path}${name}.`, depth + 1) : [])];
    });
  const lines = [
    '# Configuration files',
    '',
    'What `.dstack.yml` files and `profiles.yml` may hold. Editors check it with [the JSON Schema](https://github.com/dstackai/dstack/blob/main/libs/core/dstack.schema.json); a mistake is reported with its file, line and field.',
    'A dot leads into a mapping, or into the items of a list.',
    '',
  ];
  for (const kind of KINDS.filter((each) => definitions[each] !== undefined))
    lines.push(`## ${kind}`, '', ...table(['field', 'type', 'default'], rowsOf(definitions[kind])));
  return lines;
}
