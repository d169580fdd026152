import { CONTRACT_OPERATIONS } from '../../../apps/server/dist/http/contract.js';
import { code, table } from './table.mjs';

const nameOf = (schema) => {
  if (schema === undefined) return '–';
  if (schema.$ref !== undefined) return code(schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1));
  if (schema.type === 'array') return `list of ${nameOf(schema.items)}`;
  const any = (schema.anyOf ?? schema.oneOf)?.map(nameOf).filter((name) => name !== 'null');
  return any === undefined ? (schema.type ?? 'anything') : any.join(' or ');
};

/** The operations of the contract, by what they are about. */
export function restReference() {
  const lines = [
    '# REST API',
    '',
    'That of dstack 0.21: JSON bodies, `Authorization: Bearer TOKEN`. A running server shows the schemas, and takes requests, at `/api/docs`; `/api/docs/openapi.json` is for programs. `@dstack/sdk` is a typed client.',
    'What is refused is said in [errors](errors.md).',
    '',
  ];
  const tags = Map.groupBy(CONTRACT_OPERATIONS, ({ tag }) => tag);
  for (const [tag, operations] of tags) {
    const rows = operations.map(({ method, path, access, body, reply }) => [
      code(`${method} ${path}`),
      access.replaceAll('_', ' '),
      nameOf(body?.schema),
      nameOf(reply),
    ]);
    lines.push(`## ${tag}`, '', ...table(['operation', 'for whom', 'body', 'reply'], rows));
  }
  return lines;
}
