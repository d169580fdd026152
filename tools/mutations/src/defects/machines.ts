import type { Defect } from '../defect.js';

const EFFECTS = 'apps/server/src/instances/instance-effects.ts';
const GROUP = 'apps/server/src/instances/machine-group.ts';
const CREATE_CALL = 'libs/core/src/lifecycle/create-call.ts';
const BEGIN_CALL = 'apps/server/src/reconcile/begin-create-call.ts';
const COMMIT = 'apps/server/src/instances/instance-commit.ts';
const ATTEMPTS = 'apps/server/src/instances/attempt-commit.ts';
const DECIDE = 'libs/core/src/lifecycle/decide-instance.ts';

/** Machines that nobody knows of cost money until somebody reads the bill. */
export const MACHINE_DEFECTS: readonly Defect[] = [
  {
    name: 'name-committed-after-create',
    loses: 'a machine whose create call was answered to a server that had died: nobody knows its name',
    knownFrom: 'the field',
    edits: [
      {
        file: EFFECTS,
        find: '      cloudName: open.cloudName,\n      owner',
        replace: '      cloudName: `${open.cloudName}-${this.world.ids.uuid().slice(0, 4)}`,\n      owner',
      },
      {
        file: ATTEMPTS,
        find: `    await writeMachine(tx, id, machineOf(state));\n`,
        replace: `    const { cloudName: named } = state.ref;
    await tx.execute('UPDATE provisioning_attempts SET cloud_name = ? WHERE id = ?', [named, attempt.id]);
    await writeMachine(tx, id, machineOf(state));\n`,
      },
    ],
  },
  {
    name: 'containers-wait-for-another-job',
    loses: 'a second job sent to a container that was made for the first, where it cannot run',
    edits: [
      {
        file: DECIDE,
        find: "  return (kind === 'containers' || isOneOfGroup) && busyBlocks === 0;\n",
        replace: '  return isOneOfGroup && busyBlocks === 0 && kind !== undefined;\n',
      },
      {
        file: 'libs/core/src/offers/instance-offer.ts',
        find: "  if (instance.kind === 'containers') return 'a container, which was made for one job';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'create-not-marked-before-the-call',
    loses: 'a machine that was created just before the server died, on a cloud without tokens and names',
    knownFrom: 'this server',
    edits: [
      { file: BEGIN_CALL, find: 'await writeDurable((tx) => mark(tx, row))', replace: 'row.id.length > 0 ? 1 : 0' },
    ],
  },
  {
    name: 'token-changes-on-retry',
    loses: 'a second machine for one instance, whenever the answer to the first create call is lost',
    knownFrom: 'the field',
    edits: [{ file: EFFECTS, find: 'token: open.token,\n', replace: 'token: this.world.ids.uuid(),\n' }],
  },
  {
    name: 'retry-takes-a-new-name',
    loses: 'a machine for each create call that is repeated',
    edits: [
      {
        file: EFFECTS,
        find: '      cloudName: open.cloudName,\n      owner',
        replace: '      cloudName: open.askedAt === null ? open.cloudName : `${open.cloudName}-2`,\n      owner',
      },
    ],
  },
  {
    name: 'silence-is-taken-for-failure',
    loses: 'a machine whose create call worked, but was not answered in time',
    knownFrom: 'the field',
    edits: [{ file: CREATE_CALL, find: ` && kind !== 'outage'`, replace: '' }],
  },
  {
    name: 'list-is-believed-at-once',
    loses: 'a machine that the list of its cloud shows only seconds after it was created',
    edits: [
      {
        file: EFFECTS,
        find: 'return mayStillArrive(open, arrivalMs(definition), context.now) ? { undecided: true } : { absent: true };',
        replace: 'return { absent: true };',
      },
    ],
  },
  {
    name: 'unanswered-attempts-are-not-terminated',
    loses: 'the machine of an attempt whose outcome nobody had learned when the instance was given up',
    edits: [
      {
        file: EFFECTS,
        find: `if (attempt.outcome === 'failed') continue;`,
        replace: `if (attempt.outcome !== 'created') continue;`,
      },
    ],
  },
  {
    name: 'terminate-is-given-up-after-an-error',
    loses: 'a machine whose cloud had a bad minute when it was to be terminated: it runs on',
    knownFrom: 'the field',
    edits: [
      {
        file: COMMIT,
        find: `if (outcome.ok && (outcome.value as TerminateOutcome) === 'done') {`,
        replace: `if (outcome.ok ? (outcome.value as TerminateOutcome) === 'done' : known.terminateFailures > 0) {`,
      },
    ],
  },
  {
    name: 'terminated-before-the-machine-is-gone',
    loses: 'the price and the last error of a machine that takes its time to die, and the machine if it does not',
    knownFrom: 'the field',
    edits: [
      {
        file: EFFECTS,
        find: `if ((await compute.terminate(ref, this.call(context))) === 'pending') outcome = 'pending';`,
        replace: `await compute.terminate(ref, this.call(context));`,
      },
    ],
  },
  {
    name: 'idle-end-has-no-due-time',
    loses: 'idle machines that are given up only when something else happens to them',
    edits: [
      {
        file: DECIDE,
        find: 'if (now < deadline) return keep(instance, deadline, now);',
        replace: 'if (now < deadline) return keep(instance, null, now);',
      },
    ],
  },
  {
    name: 'start-is-looked-at-once',
    loses: 'a machine that is not ready at the first look',
    edits: [
      {
        file: DECIDE,
        find: `effects: [{ do: 'poll' }], dueAt: Math.min(deadline, Math.round(now + pauseMs)) });`,
        replace: `effects: [{ do: 'poll' }], dueAt: pauseMs > 0 ? null : deadline });`,
      },
    ],
  },
  {
    name: 'group-is-not-terminated',
    loses: 'machines that were made together: they run on when their task is over',
    edits: [
      {
        file: EFFECTS,
        find: `if (record.group !== null && record.group.rank > 0) return this.terminateMember(context);`,
        replace: `if (record.group !== null) return 'done';`,
      },
    ],
  },
  {
    name: 'group-waits-for-those-that-end',
    loses: 'the same: each of them waits for the others to be gone',
    edits: [
      {
        file: GROUP,
        find: `AND id <> ? AND status IN ('provisioning', 'idle', 'busy') LIMIT 1`,
        replace: `AND id <> ? AND status <> 'terminated' LIMIT 1`,
      },
    ],
  },
];
