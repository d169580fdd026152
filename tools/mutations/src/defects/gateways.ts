import type { Defect } from '../defect.js';

const COMMIT = 'apps/server/src/gateways/gateway-replica-commit.ts';
const EFFECTS = 'apps/server/src/gateways/gateway-replica-effects.ts';

/** The machines of gateways cost money too. */
export const GATEWAY_DEFECTS: readonly Defect[] = [
  {
    name: 'a-refusal-answers-all-calls-of-a-gateway',
    loses: 'a machine that an earlier create call makes after a later one was refused',
    knownFrom: 'this server',
    stories: 'gateways',
    edits: [{ file: COMMIT, find: '[record.askedAt, id]', replace: '[null, id]' }],
  },
  {
    name: 'machine-of-a-gateway-is-not-looked-for',
    loses: 'a machine whose create call was not answered, when the gateway is deleted',
    stories: 'gateways',
    edits: [
      {
        file: EFFECTS,
        find: 'const more = mayHaveMadeMore(machine !== null, record) ? [(await this.findMade(account, context)) ?? byName] : [];',
        replace:
          'const more = mayHaveMadeMore(machine !== null, { askedAt: null }) && machine !== null ? [byName] : [];',
      },
    ],
  },
];
