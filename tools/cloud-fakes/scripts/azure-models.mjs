// Writes specs/azure-arm.json: what Azure's own libraries put on the wire and read from it, as JSON Schema, read from the code that does it.
// node tools/cloud-fakes/scripts/azure-models.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const require = createRequire(import.meta.url);

const ROOTS = {
  '@azure/arm-compute': [
    'virtualMachineSerializer',
    'virtualMachineDeserializer',
    '_virtualMachineListResultDeserializer',
    '_resourceSkusResultDeserializer',
    '_listUsagesResultDeserializer',
    '_capacityReservationListResultDeserializer',
    'cloudErrorDeserializer',
  ],
  '@azure/arm-network': [
    'virtualNetworkSerializer',
    'virtualNetworkDeserializer',
    'subnetDeserializer',
    '_subnetListResultDeserializer',
    'networkSecurityGroupSerializer',
    'networkSecurityGroupDeserializer',
    'networkInterfaceDeserializer',
    'publicIPAddressDeserializer',
  ],
  '@azure/arm-resources': [
    'resourceGroupSerializer',
    'resourceGroupDeserializer',
    '_resourceGroupListResultDeserializer',
    'genericResourceDeserializer',
  ],
};

const packages = {};
const provenance = [];
for (const [name, roots] of Object.entries(ROOTS)) {
  const directory = dirname(require.resolve(`${name}/package.json`));
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  provenance.push(`${name} ${version}`);
  packages[name.slice('@azure/arm-'.length)] = readPackage(join(directory, 'dist/esm/models'), roots);
}
const file = new URL('../specs/azure-arm.json', import.meta.url);
const text = `models of ${provenance.join(', ')} (npm, MIT): names, required members, types and known values of what they send and read; texts left out`;
writeFileSync(file, `${JSON.stringify({ provenance: text, ...packages })}\n`);

function readPackage(directory, roots) {
  const model = { functions: new Map(), interfaces: new Map(), enums: new Map(), types: new Map() };
  for (const path of ts.sys.readDirectory(directory, ['.js', '.d.ts'])) {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    for (const node of source.statements) note(node, path.endsWith('.d.ts'), model);
  }
  const definitions = {};
  for (const root of roots) define(root, null, model, definitions);
  return { definitions };
}

function note(node, isTypes, model) {
  const name = node.name?.text;
  if (ts.isInterfaceDeclaration(node)) model.interfaces.set(name, node);
  else if (ts.isEnumDeclaration(node) && isTypes)
    model.enums.set(
      name,
      node.members.map(({ initializer }) => initializer.text),
    );
  else if (ts.isTypeAliasDeclaration(node)) model.types.set(name, node.type);
  else if (ts.isFunctionDeclaration(node)) {
    const known = model.functions.get(name) ?? {};
    model.functions.set(name, isTypes ? { ...known, signature: node } : { ...known, body: node.body });
  }
}

/** One function is one definition; `owner` is the type whose members a nested part takes. */
function define(name, owner, model, definitions) {
  if (definitions[name] !== undefined) return;
  definitions[name] = {}; // types may contain themselves
  const { body, signature } = model.functions.get(name) ?? {};
  if (body === undefined) throw new Error(`no function ${name}`);
  const isRequest = name.endsWith('Serializer');
  const typeNode = isRequest ? signature.parameters[0].type : signature.type;
  const type = owner ?? (ts.isTypeReferenceNode(typeNode) ? typeNode.typeName.getText() : null);
  const returned = body.statements.find(ts.isReturnStatement)?.expression;
  if (returned !== undefined && ts.isCallExpression(returned)) {
    const [each] = callsIn(returned);
    if (each === undefined) return;
    define(each, null, model, definitions);
    definitions[name] = { type: 'array', items: ref(each) };
    return;
  }
  if (returned === undefined || !ts.isObjectLiteralExpression(returned)) return;
  const properties = {};
  const required = [];
  for (const part of returned.properties) {
    const isSpread = ts.isSpreadAssignment(part);
    const expression = isSpread ? part.expression : part.initializer;
    const key = isSpread ? keyOf(expression) : part.name.text;
    const [target] = callsIn(expression);
    if (target !== undefined) {
      const isPart = isSpread || keyOf(expression) === null;
      define(target, isPart ? type : null, model, definitions);
      properties[key] = /\.map\(/.test(expression.getText()) ? { type: 'array', items: ref(target) } : ref(target);
    } else {
      const member = memberOf(type, keyOf(expression), model);
      properties[key] = member === null ? {} : schemaOf(member.type, model);
    }
    const member = isSpread ? null : memberOf(type, keyOf(expression), model);
    if (member !== null && member.questionToken === undefined) required.push(key);
  }
  definitions[name] = {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  };
}

function callsIn(node) {
  const found = [];
  const visit = (each) => {
    if (
      ts.isCallExpression(each) &&
      ts.isIdentifier(each.expression) &&
      /(S|Des)erializer$/i.test(each.expression.text)
    )
      found.push(each.expression.text);
    each.forEachChild(visit);
  };
  visit(node);
  return found;
}

/** `item["x"]` → x */
function keyOf(expression) {
  return (
    /(?:item|result)\["([^"]+)"\]/.exec(expression.getText().replace(/areAllPropsUndefined\([^)]*\)/, ''))?.[1] ?? null
  );
}

function memberOf(type, key, model) {
  const node = type === null || key === null ? undefined : model.interfaces.get(type);
  if (node === undefined) return null;
  const own = node.members.find((each) => each.name?.text === key);
  if (own !== undefined) return own;
  for (const parent of node.heritageClauses?.flatMap(({ types }) => types) ?? []) {
    const found = memberOf(parent.expression.getText(), key, model);
    if (found !== null) return found;
  }
  return null;
}

function schemaOf(node, model) {
  if (node === undefined) return {};
  switch (node.kind) {
    case ts.SyntaxKind.StringKeyword:
      return { type: 'string' };
    case ts.SyntaxKind.NumberKeyword:
      return { type: 'number' };
    case ts.SyntaxKind.BooleanKeyword:
      return { type: 'boolean' };
    case ts.SyntaxKind.ArrayType:
      return { type: 'array', items: schemaOf(node.elementType, model) };
    case ts.SyntaxKind.UnionType: {
      const values = node.types.map((each) => each.literal?.text);
      return values.every((value) => typeof value === 'string') ? { enum: values } : {};
    }
    case ts.SyntaxKind.TypeReference: {
      const name = node.typeName.getText();
      if (name === 'Date') return { type: 'string' };
      if (name === 'Record') return { type: 'object' };
      const known = model.enums.get(`Known${name}`);
      // The library's list of sizes is years old.
      if (name === 'VirtualMachineSizeTypes') return { type: 'string' };
      if (known !== undefined) return { enum: known };
      return model.types.has(name) ? schemaOf(model.types.get(name), model) : {};
    }
    default:
      return {};
  }
}

function ref(name) {
  return { $ref: `#/definitions/${name}` };
}
