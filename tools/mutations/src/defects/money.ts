import type { Defect } from '../defect.js';

const COMMIT = 'apps/server/src/instances/instance-commit.ts';
const ATTEMPTS = 'apps/server/src/instances/attempt-commit.ts';

/** What was held for which price. */
export const MONEY_DEFECTS: readonly Defect[] = [
  {
    name: 'priced-interval-is-not-closed',
    loses: 'trust in the costs: a machine that is gone is paid for for ever',
    edits: [
      {
        file: COMMIT,
        find: `    if (decision.status === 'terminated') await endPricedInterval(tx, id, now);\n`,
        replace: '',
      },
    ],
  },
  {
    name: 'found-machine-is-not-priced',
    loses: 'the costs of machines whose create call was not answered: they seem to be free',
    knownFrom: 'this server',
    edits: [
      {
        file: ATTEMPTS,
        find: `machineOf({ state: 'pending', ref: settled.found }));
    await this.price(tx, context, attempt);`,
        replace: `machineOf({ state: 'pending', ref: settled.found }));`,
      },
    ],
  },
  {
    name: 'priced-interval-is-closed-early',
    loses: 'the costs of a machine that takes its time to die',
    edits: [
      {
        file: COMMIT,
        find: `if (decision.status === 'terminated') await endPricedInterval(tx, id, now);`,
        replace: `if (decision.status === 'terminating' || decision.status === 'terminated') await endPricedInterval(tx, id, now);`,
      },
    ],
  },
  {
    name: 'price-changes-while-it-is-paid',
    loses: 'the costs of a machine: those of its past are counted at another price',
    edits: [
      {
        file: COMMIT,
        find: `    if (known.state === 'pending' && machine.state === 'ready') await wakePeersOfMachine(tx, this.wake, id);\n    this.wake.host(tx, 'connections', id);\n    return machine.state`,
        replace: `    await tx.execute('UPDATE priced_intervals SET price_usd_per_hour = ? WHERE instance_id = ?', [snapshot.attempts[0]?.offer.price ?? 0, id]);
    this.wake.host(tx, 'connections', id);\n    return machine.state`,
      },
    ],
  },
];
