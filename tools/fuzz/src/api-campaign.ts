import { CONTRACT_OPERATIONS, CONTRACT_SCHEMAS, type ContractOperation } from '@dstack/server/parts';
import fc from 'fast-check';
import { AttackedServer } from './attacked-server.js';
import { type Campaign, trial } from './campaign.js';
import { configurationTexts, workingConfigurations } from './configuration-values.js';
import { type Schema, type SchemaSource, fromSchema } from './from-schema.js';
import type { HttpRequest } from './http-request.js';
import { junk } from './junk.js';
import { mutated } from './mutate.js';
import { replyProblem } from './reply-problem.js';
import { NAMES, prepareScene } from './scene.js';

const CASES = 1_500;

export const apiCampaign: Campaign = {
  name: 'api',
  what: 'every operation of the REST API with bodies that are valid, damaged, or nothing of the kind',
  open: async () => {
    const server = await AttackedServer.start();
    await prepareScene(server);
    const requests = fc.oneof(...OPERATIONS.map((operation) => requestTo(operation, server.token)));
    const answered = trial(
      'every reply is one of the contract, none is a 5xx',
      CASES,
      fc.asyncProperty(requests, async ({ id, ...request }) => {
        const reply = await server.http.send(request);
        const problem = replyProblem(id, reply);
        if (problem !== undefined) throw new Error(`${id}: ${problem}`);
      }),
    );
    return { trials: [answered], close: () => server.stop() };
  },
};

const OPERATIONS = CONTRACT_OPERATIONS.filter(
  ({ path, body }) => path.startsWith('/api/') && body?.mediaType !== 'multipart/form-data',
);

/** What is likely to be there, so that requests come further than to be looked at. */
function mostly(likely: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 8, arbitrary: likely },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(...NAMES) },
    { weight: 1, arbitrary: junk },
  );
}

const runSpecs = fc.record(
  {
    configuration: workingConfigurations,
    repo_id: fc.constantFrom('repo-1', null),
    run_name: fc.constantFrom('run-1', 'run-3', null),
  },
  { requiredKeys: ['configuration'] },
);
const fleetSpecs = fc.record({ configuration: workingConfigurations, profile: fc.constant({ name: 'default' }) });

const source: SchemaSource = {
  resolve: (reference) => CONTRACT_SCHEMAS[reference.slice(reference.lastIndexOf('/') + 1)] as Schema, // the contract is whole: a test of the generator holds it
  texts: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
    { weight: 2, arbitrary: configurationTexts },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  ),
  fields: {
    config_yaml: fc.constantFrom(
      ...['type: local', 'type: aws', 'type: local\nruntime: process', '{', 'type: [', 'a: &a [*a]', '- x'],
    ),
    configuration: mostly(workingConfigurations),
    run_spec: mostly(runSpecs),
    spec: mostly(fleetSpecs),
    run_name: mostly(fc.constantFrom('run-1', 'run-2')),
    runs_names: mostly(fc.constantFrom(['run-1'], ['run-2'], ['run-1', 'run-2'])),
    name: mostly(fc.constantFrom('run-1', 'fleet-1', 'secret_1')),
    names: mostly(fc.constantFrom(['fleet-1'], ['default'])),
    repo_id: mostly(fc.constant('repo-1')),
    secrets_names: mostly(fc.constant(['secret_1'])),
    username: mostly(fc.constantFrom('ann', 'bob')),
    usernames: mostly(fc.constant(['ann'])),
    id: mostly(fc.constant(null)),
  },
};

type Named = HttpRequest & { readonly id: string };

function requestTo(operation: ContractOperation, token: string): fc.Arbitrary<Named> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const valid = fromSchema(operation.body?.schema ?? {}, source);
  const values = fc.oneof(
    { weight: 4, arbitrary: valid },
    { weight: 4, arbitrary: valid.chain(mutated) },
    { weight: 1, arbitrary: junk },
  );
  const texts = fc.oneof(
    { weight: 20, arbitrary: values.map((value) => JSON.stringify(value)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '{', '{"a":1,}', '\u0000', '[1', 'null', '"x"', '{"a":1}{"b":2}', '\ufeff{}'),
    },
  );
  return fc.record({
    id: fc.constant<string>(operation.id),
    method: fc.constant<string>(operation.method),
    path: pathOf(operation),
    headers: fc
      .constantFrom(undefined, '0.20.6', '0.21.2', '0.19.0')
      .map((version) => (version === undefined ? headers : { ...headers, 'x-api-version': version })),
    ...(operation.method === 'GET' ? {} : { body: texts }),
  });
}

function pathOf({ path, query }: ContractOperation): fc.Arbitrary<string> {
  const place = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('kept', ...NAMES.slice(0, 8)) },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 8 }) },
  );
  const value = fc.oneof(fc.constantFrom('1', '0', '-1', '', 'x', '1e400', '9'.repeat(30)), fc.constantFrom(...NAMES));
  const places = fc.array(place, { minLength: 3, maxLength: 3 });
  const queries = fc.tuple(
    ...query.map(({ name }) =>
      fc.option(
        value.map((text) => `${name}=${encodeURIComponent(text)}`),
        { nil: undefined },
      ),
    ),
  );
  return fc.tuple(places, queries).map(([given, parameters]) => {
    const rest = [...given];
    const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) =>
      encodeURIComponent(name === 'project_name' && rest[0] !== 'other' ? 'kept' : (rest.pop() ?? 'x')),
    );
    const search = parameters.filter((parameter) => parameter !== undefined).join('&');
    return search === '' ? filled : `${filled}?${search}`;
  });
}
