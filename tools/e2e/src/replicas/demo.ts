import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningCommand } from '../command.js';
import { freePort } from '../free-port.js';
import { type PostgresServer, startPostgres } from '../postgres.js';
import type { Stack } from '../stack.js';
import { until } from '../until.js';
import { connectionsOf, serversOnOneMachine } from './one-machine.js';
import { countTicks, ENDED, runOf, submitTicking, ticksIn } from './ticking-run.js';

const REPLICAS = 3;
const RUNS = ['first', 'second'];
const TICKS = 60;
/** Submitted when one is dead; it waits until there is room. */
const AFTER = { name: 'after-the-kill', ticks: 10, more: 'retry: {on_events: [no-capacity], duration: 10m}' };
const LIMIT_MS = 180_000;

const startedAt = performance.now();
const say = (text: string): void =>
  console.log(`[${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)}s] ${text}`);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Three servers on one Postgres; the one that is connected to the runs is killed; the others go on. Exit code 1 when anything is lost or doubled. */
async function demo(): Promise<void> {
  const postgres = await startPostgres(await freePort());
  if (postgres === undefined) {
    console.error('This needs the programs of Postgres (Debian, Ubuntu: apt install postgresql).');
    process.exitCode = 1;
    return;
  }
  const servers = serversOnOneMachine(REPLICAS, postgres);
  let isCleanedUp = false;
  const cleanUp = async (): Promise<void> => {
    if (isCleanedUp) return;
    isCleanedUp = true;
    say('Cleaning up');
    await Promise.all(servers.map((server) => server.close()));
    await postgres.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
  try {
    say(`Postgres is up on port ${postgres.port}`);
    await Promise.all(servers.map((server) => server.start()));
    for (const [index, { url, serverPid }] of servers.entries())
      say(`Server ${index + 1}: ${url}, process ${serverPid}`);
    process.exitCode = (await tell(servers, postgres)) ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

async function tell(servers: readonly Stack[], postgres: PostgresServer): Promise<boolean> {
  const nameOf = (server: Stack): string => `server ${servers.indexOf(server) + 1}`;
  for (const [index, name] of RUNS.entries()) {
    const server = servers[index % servers.length];
    if (server === undefined) continue;
    await submitTicking(server, { name, ticks: TICKS });
    say(`Submitted the run ${name} to ${nameOf(server)}`);
  }
  for (const name of RUNS)
    await until(`${name} to run`, async () => (await statusOf(servers[0], name)) === 'running', LIMIT_MS);
  await sleep(2_000);
  const held = connectionsOf(servers, postgres);
  for (const [server, count] of held) say(`${nameOf(server)} is connected to ${count} of the ${RUNS.length} machines`);
  const victim = [...held].sort(([, a], [, b]) => b - a)[0]?.[0];
  const others = servers.filter((server) => server !== victim);
  const [survivor] = others;
  if (victim === undefined || survivor === undefined) throw new Error('no server');
  const logs = new Map(RUNS.map((name) => [name, survivor.startCli(['logs', '-f', name])]));

  const killedAt = Date.now();
  await victim.killServer('SIGKILL');
  say(`kill -9: ${nameOf(victim)} is gone`);
  const placed = submitTicking(survivor, AFTER).then(() => say(`${nameOf(survivor)} took the run ${AFTER.name}`));
  const recoveries = await Promise.all([...logs].map(([name, log]) => saysMore(name, log, killedAt)));
  const recovery = Math.max(...recoveries);
  say(`Recovered: ${seconds(recovery)} after the kill every log goes on`);
  await placed;

  say('Starting the killed server again');
  await victim.start();
  say(`${nameOf(victim)} is back`);
  let isRight = true;
  for (const { name, ticks } of [...RUNS.map((each) => ({ name: each, ticks: TICKS })), AFTER]) {
    await until(`${name} to end`, async () => ENDED.has(await statusOf(victim, name)), LIMIT_MS);
    const log = (await victim.cli(['logs', name])).stdout;
    const { lost, doubled } = countTicks(ticksIn(log), ticks);
    const { status, starts } = await runOf(victim, name);
    isRight &&= lost === 0 && doubled === 0 && status === 'done' && starts === 1;
    say(
      `${name}: ${status}, started ${starts === 1 ? 'once' : `${starts} times`}, ${lost} lines lost, ${doubled} doubled`,
    );
  }
  say(isRight ? `Nothing is lost, nothing is doubled; recovery took ${seconds(recovery)}` : 'Something went wrong');
  return isRight;
}

/** @returns milliseconds from the kill until something is read that was said after it */
async function saysMore(name: string, log: RunningCommand, killedAt: number): Promise<number> {
  const isNew = (): Promise<boolean> => Promise.resolve(ticksIn(log.output()).some(({ at }) => at > killedAt));
  await until(`the log of ${name} to go on`, isNew, LIMIT_MS);
  return Date.now() - killedAt;
}

async function statusOf(server: Stack | undefined, name: string): Promise<string> {
  return server === undefined ? 'unknown' : (await runOf(server, name)).status;
}

await demo();
