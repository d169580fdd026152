// Writes specs/elasticsearch-search.json: the search of an index as Elastic publishes it, with what logs are read by and nothing else.
// node tools/cloud-fakes/scripts/elasticsearch-search.mjs <output/openapi/elasticsearch-serverless-openapi.json> <commit, date>
import { readFileSync, writeFileSync } from 'node:fs';

const [file, version] = process.argv.slice(2);
if (file === undefined || version === undefined)
  throw new Error('which file of github.com/elastic/elasticsearch-specification, and of when?');
const { components, info } = JSON.parse(readFileSync(file, 'utf8'));

/** Of types with many: those that are used. */
const USED = {
  '_types.query_dsl.QueryContainer': ['bool', 'range', 'term'],
  '_types.ErrorCause': ['type', 'reason'],
  '_types.ShardStatistics': ['failed', 'successful', 'total', 'skipped'],
  '_types.SortOptions': ['_doc'],
  '_global.search.ResponseBody': ['took', 'timed_out', '_shards', 'hits'],
  '_global.search._types.Hit': ['_index', '_id', '_score', '_source', 'sort'],
};
const OF_REQUEST = ['_source', 'query', 'size', 'sort', 'search_after'];
/** Elasticsearch refuses what it does not know; the document leaves that out. */
const CLOSED = /^_types\.query_dsl\.(QueryContainer|\w+Query)$|^_global\.search\.ResponseBody$/;
const LEFT_OUT = new Set(['description', 'externalDocs', 'deprecated', 'default']);

const pick = (properties, names) => Object.fromEntries(names.map((name) => [name, properties[name]]));

/** As JSON Schema: unions that overlap are no `oneOf`, and null is a type. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, ...rest } = value;
  const entries = Object.entries(rest)
    .filter(([name]) => !LEFT_OUT.has(name) && !name.startsWith('x-'))
    .map(([name, each]) => [name === 'oneOf' ? 'anyOf' : name, plain(each)]);
  const schema = Object.fromEntries(entries);
  return nullable === true ? { ...schema, type: [schema.type, 'null'] } : schema;
}

const schemas = {};
function take(value) {
  for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (name in schemas) continue;
    const { properties, ...rest } = components.schemas[name];
    const used = USED[name];
    const schema = plain(
      properties === undefined
        ? rest
        : { ...rest, properties: used === undefined ? properties : pick(properties, used) },
    );
    schemas[name] = CLOSED.test(name) ? { ...schema, unevaluatedProperties: false } : schema;
    take(schemas[name]);
  }
  return value;
}

const json = (schema) => ({ content: { 'application/json': { schema } } });
const request = components.requestBodies.search.content['application/json'].schema;
const error = json(take({ $ref: '#/components/schemas/_types.ErrorResponseBase' }));
const paths = {
  '/{index}/_search': {
    post: {
      requestBody: json(
        take(plain({ ...request, properties: pick(request.properties, OF_REQUEST), additionalProperties: false })),
      ),
      responses: {
        200: json(take({ $ref: '#/components/schemas/_global.search.ResponseBody' })),
        ...Object.fromEntries([400, 401, 404, 503].map((status) => [status, error])),
      },
    },
  },
};
const source = `github.com/elastic/elasticsearch-specification ${file.split('/').pop()} at ${version}, Apache 2.0, the properties that are used, without descriptions`;
writeFileSync(
  new URL('../specs/elasticsearch-search.json', import.meta.url),
  `${JSON.stringify({ openapi: '3.1.0', info: { title: info.title, version: '', 'x-source': source }, paths, components: { schemas } }, null, 1)}\n`,
);
