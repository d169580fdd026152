import { SMALL, Stack } from '../stack.js';

/** A user of one machine: a run, its log, what there is, what is known of it. Ends with 1 when any of it does not work. */
const stack = new Stack();
try {
  await stack.start();
  const file = stack.file('alone', `type: task\nname: alone\ncommands: [echo quite alone]\n${SMALL}\n`);
  const applied = await stack.cli(['apply', '-y', '-f', file]);
  console.log(applied.stdout);
  for (const args of [['ps', '-a'], ['offer'], ['fleet', 'list'], ['event', 'list'], ['metrics', 'alone']])
    console.log(args.join(' '), (await stack.cli(args)).code);
  process.exitCode = applied.code;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stack.close();
}
