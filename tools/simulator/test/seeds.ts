/** Seeds whose story once broke a promise, and what was wrong. The workload has changed since some of them failed: they are kept all the same. */
export const SEEDS_THAT_ONCE_FAILED: readonly (readonly [seed: number, why: string])[] = [
  [4, 'a create call that was not marked before it was made'],
  [5, 'the same, before a crash'],
  [8, 'a create call that was not settled before it was given up'],
  [88, 'a host that nobody remembered to have visited'],
  [90, 'the same, after a crash'],
  [116, 'a host that was visited after it was let go'],
  [303, 'an answer taken for the last word of an attempt that another server still asked for'],
  [1, 'a machine that was found by a search had no price'],
  [9, 'a job stopped for its duration by the clock of its host, which was wrong'],
  [25, 'a create call given up by the age of its plan while it was under way'],
  [68, 'a priced interval that ended before it began, after the clock was set back'],
  [134, 'a create call that arrived after the machine of its name was terminated'],
  [13, 'a scheduled run that was stopped while a turn of it ended, and came back'],
  [700, 'a row given back again by who had not heard that its commit was done'],
];

/** The same with one service and four tasks per project, as the command tells them. */
export const SEEDS_WITH_SERVICES_THAT_ONCE_FAILED: readonly (readonly [seed: number, why: string])[] = [
  [91, 'an agent that was put on a host after it was let go, by a server that had stood still'],
];

/** With a service and a network volume per project. */
export const SEEDS_WITH_VOLUMES_THAT_ONCE_FAILED: readonly (readonly [seed: number, why: string])[] = [
  [100_199, 'a create call that arrived while no server was up, after the machine of its name was gone'],
  [100_025, 'a call to detach that arrived when the disk was at the same machine again, for the next job'],
  [49, 'two create calls of one attempt, of which one was refused: its answer was taken for both'],
  [526, 'a job stopped for its duration by the clock of the server, which was set forward twice'],
  [
    201,
    'a call to attach that arrived after the detach: the wait for it had been cut short by a clock that was set forward',
  ],
  [101_005, 'a row that was looked at for ever in the millisecond before its deadline'],
];

/** As the command tells them. */
export const USUAL_SEEDS_THAT_ONCE_FAILED: readonly (readonly [seed: number, why: string])[] = [
  [
    2013,
    'a volume that had left its machine was asked for again for two hours, while an earlier call might still arrive',
  ],
  [10_657, 'an idle machine that its fleet needed until it got another, and that nobody looked at then'],
  [10_811, 'the same'],
  [30, 'a job that waited for its log for two minutes after each new connection to its host, which broke all the time'],
];
