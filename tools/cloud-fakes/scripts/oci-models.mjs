// Writes specs/oci.json: the operations used, with their paths, queries and bodies, as Oracle's own libraries call them.
// node tools/cloud-fakes/scripts/oci-models.mjs <folder of oci-marketplace, unpacked>
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const marketplace = process.argv[2];
if (marketplace === undefined) throw new Error('where is oci-marketplace? npm pack oci-marketplace@2.139.1');

const PACKAGES = {
  'oci-core': {
    directory: dirname(require.resolve('oci-core/package.json')),
    version: '20160918',
    operations: [
      ...['launchInstance', 'getInstance', 'listInstances', 'terminateInstance', 'listVnicAttachments', 'getVnic'],
      ...['listShapes', 'createComputeCapacityReport', 'listImages', 'listVcns', 'createVcn', 'getVcn'],
      ...[
        'listInternetGateways',
        'createInternetGateway',
        'getRouteTable',
        'updateRouteTable',
        'listSubnets',
        'createSubnet',
      ],
      ...['getSubnet', 'listNetworkSecurityGroups', 'createNetworkSecurityGroup', 'getNetworkSecurityGroup'],
      ...['listNetworkSecurityGroupSecurityRules', 'addNetworkSecurityGroupSecurityRules'],
    ],
  },
  'oci-identity': {
    directory: dirname(require.resolve('oci-identity/package.json')),
    version: '20160918',
    operations: [
      'listRegionSubscriptions',
      'listAvailabilityDomains',
      'listCompartments',
      'createCompartment',
      'getCompartment',
    ],
  },
  'oci-limits': {
    directory: dirname(require.resolve('oci-limits/package.json')),
    version: '',
    operations: ['listLimitValues'],
  },
  'oci-marketplace': {
    directory: marketplace,
    version: '20181001',
    operations: [
      ...['listListings', 'getListing', 'getPackage', 'listAgreements', 'getAgreement'],
      ...['listAcceptedAgreements', 'createAcceptedAgreement'],
    ],
  },
};

/** Of several kinds, the one that images have. */
const KINDS = { ListingPackage: 'ImageListingPackage' };

const operations = {};
const definitions = {};
const provenance = [];
for (const [name, { directory, version, operations: wanted }] of Object.entries(PACKAGES)) {
  provenance.push(`${name} ${JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version}`);
  const source = parse(join(directory, 'lib/client.js'));
  for (const operation of wanted) readOperation(source, operation, { name, directory, version });
}
const text = `operations and models of ${provenance.join(', ')} (npm, UPL-1.0 or Apache-2.0): paths, queries, names, required members, types and known values; texts left out`;
writeFileSync(
  new URL('../specs/oci.json', import.meta.url),
  `${JSON.stringify({ provenance: text, operations, definitions })}\n`,
);

function parse(path) {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

function readOperation(source, operation, from) {
  const method = find(source, (node) => ts.isMethodDeclaration(node) && node.name.getText() === operation);
  if (method === undefined) throw new Error(`no operation ${operation}`);
  const code = method.getText();
  const path = `${from.version === '' ? '' : `/${from.version}`}${/path: "([^"]+)"/.exec(code)[1]}`;
  const query = /const queryParams = \{([^}]*)\}/.exec(code)?.[1] ?? '';
  const request = /ObjectSerializer\.serialize\([^,]+, "(\w+)"/.exec(code)?.[1];
  const response = /type: "(?:Array<)?(?:model\.)?(\w+)>?"/.exec(code.slice(code.indexOf('composeResponse')))?.[1];
  const body = code.slice(code.indexOf('composeResponse'));
  const isList = /bodyKey: "items"/.test(body);
  operations[`${/method: "(\w+)"/.exec(code)[1]} ${path}`] = {
    query: [...query.matchAll(/"(\w+)":/g)].map(([, name]) => name),
    ...(request === undefined ? {} : { request: define(request, from) }),
    ...(/bodyModel|bodyKey/.test(body) && response !== undefined
      ? { response: define(KINDS[response] ?? response, from), isList }
      : {}),
  };
}

function find(node, is) {
  if (is(node)) return node;
  return ts.forEachChild(node, (child) => find(child, is));
}

/** The definition's name: two packages may have models of one name. */
function define(model, from) {
  const key = `${from.name}.${model}`;
  if (definitions[key] !== undefined) return key;
  definitions[key] = {};
  const file = `${model
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()}.d.ts`;
  const source = parse(join(from.directory, 'lib/model', file));
  const node = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === model);
  if (node === undefined) {
    const values = enumOf(source, model);
    definitions[key] = values === null ? {} : { enum: values };
    return key;
  }
  const properties = {};
  const required = [];
  for (const parent of node.heritageClauses?.flatMap(({ types }) => types) ?? []) {
    const base = definitions[define(parent.expression.name.text, from)];
    Object.assign(properties, base.properties);
    required.push(...(base.required ?? []));
  }
  for (const member of node.members) {
    properties[member.name.text] = schemaOf(member.type, source, from);
    if (member.questionToken === undefined) required.push(member.name.text);
  }
  definitions[key] = {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  };
  return key;
}

function schemaOf(node, source, from) {
  switch (node.kind) {
    case ts.SyntaxKind.StringKeyword:
      return { type: 'string' };
    case ts.SyntaxKind.NumberKeyword:
      return { type: 'number' };
    case ts.SyntaxKind.BooleanKeyword:
      return { type: 'boolean' };
    case ts.SyntaxKind.UnionType:
      return { anyOf: node.types.map((each) => schemaOf(each, source, from)) };
    case ts.SyntaxKind.TypeLiteral:
      return { type: 'object' };
    case ts.SyntaxKind.TypeReference: {
      const name = node.typeName.getText();
      if (name === 'Array') return { type: 'array', items: schemaOf(node.typeArguments[0], source, from) };
      if (name === 'Date') return { type: 'string' };
      if (name.startsWith('model.')) return { $ref: `#/definitions/${define(name.slice('model.'.length), from)}` };
      const values = enumOf(source, name.split('.').at(-1));
      return values === null ? {} : { enum: values };
    }
    default:
      return {};
  }
}

function enumOf(source, name) {
  const node = find(source, (each) => ts.isEnumDeclaration(each) && each.name.text === name);
  // What the library makes of a value it does not know.
  return node?.members.map(({ initializer }) => initializer.text).filter((value) => value !== 'UNKNOWN_VALUE') ?? null;
}
