#!/usr/bin/env node
/**
 * `npm test`: builds, runs every package's tests, then the simulator. `--full` also runs what takes long or needs a network
 * (packing and installing the packages, the 0.21.2 client). The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, relative } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const full = process.argv.includes('--full');
const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const env = {
  ...process.env,
  NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
  PATH: `${join(pinned, '..')}:${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
};
if (full) env.DSTACK_TEST_FULL = '1';
const totals = { passed: 0, failed: 0 };
const summary = [];

function stage(name, run) {
  const startedAt = Date.now();
  console.log(`\n── ${name}`);
  const { passed, failed } = run();
  totals.passed += passed;
  totals.failed += failed;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  summary.push(`| ${name} | ${passed} | ${failed} | ${seconds} |`);
  console.log(`── ${name}: ${failed === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
}

function command(args, options = {}) {
  const result = spawnSync(node, args, { cwd: root, env, stdio: 'inherit', ...options });
  return result.status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

stage('build', () => command(['node_modules/typescript/bin/tsc', '-b'], { env: { ...env, NODE_OPTIONS: '' } }));

stage('the command line in few files', () => command(['apps/cli/scripts/bundle.mjs']));

stage('the server in few files', () => command(['apps/server/scripts/bundle.mjs']));

// Without them the stories of gateways would be left out.
for (const name of ['agent', 'gateway']) {
  const cwd = join(root, 'apps', name);
  if (existsSync(join(cwd, 'dist/folder'))) continue;
  stage(`the folder of the ${name}`, () => command(['scripts/build-folder.mjs'], { cwd }));
}

/** The stories with real processes wait two thirds of their time; a worker and what it starts take up to 2 GB. */
function workers() {
  return Math.min(2 * cpus().length, Math.max(1, Math.floor(totalmem() / 2 ** 31)));
}

/** What belongs into `spec-order/long-specs.json`. */
function tellLongest(specs) {
  const seconds = ({ startTime, endTime }) => Math.round((endTime - startTime) / 1000);
  const longest = specs.filter((spec) => seconds(spec) >= 30).sort((one, other) => seconds(other) - seconds(one));
  for (const spec of longest) console.log(`${String(seconds(spec)).padStart(5)} s  ${relative(root, spec.name)}`);
}

/** One for all specs that need no Postgres of their own, gone with this process. */
async function sharedPostgres() {
  if (env.DSTACK_TEST_POSTGRES_URL !== undefined) return undefined;
  const { startPostgres } = await import('../e2e/dist/postgres.js');
  const { freePort } = await import('../e2e/dist/free-port.js');
  const postgres = await startPostgres(await freePort());
  if (postgres !== undefined) env.DSTACK_TEST_POSTGRES_URL = postgres.url;
  return postgres;
}

if (totals.failed === 0) {
  const postgres = await sharedPostgres();
  // The packed agent and gateway, made by the first that wants them.
  env.DSTACK_TEST_ARCHIVES = mkdtempSync(join(tmpdir(), 'dstack-archives-'));
  stage('tests', () => {
    const report = join(mkdtempSync(join(tmpdir(), 'dstack-tests-')), 'report.json');
    const status = command([
      'node_modules/jest/bin/jest.js',
      `--maxWorkers=${workers()}`,
      '--json',
      `--outputFile=${report}`,
      '--reporters=default',
      '--silent=false',
    ]);
    if (!existsSync(report)) return status;
    const { numPassedTests, numFailedTests, numFailedTestSuites, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    tellLongest(testResults);
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites, status.failed) };
  });
  await postgres?.stop();
  rmSync(env.DSTACK_TEST_ARCHIVES, { recursive: true, force: true });
  delete env.DSTACK_TEST_ARCHIVES;
  delete env.DSTACK_TEST_POSTGRES_URL;
  for (const generator of [
    'tools/contract/generate-wire-types.mjs',
    'tools/contract/generate-server-contract.mjs',
    'libs/core/scripts/generate-schema.mjs',
    'tools/ci/generate-env-reference.mjs',
    'tools/ci/generate-references.mjs',
    'tools/dashboard/generate-dashboard.mjs',
  ]) {
    stage(`generated files are fresh: ${generator}`, () => command([generator, '--check']));
  }
  stage('simulator', () => command(['tools/simulator/dist/main.js', '--seeds', full ? '400' : '120']));
  if (full) {
    stage('mutations', () => command(['tools/mutations/dist/main.js']));
    stage('crash matrix', () => command(['tools/e2e/dist/crash/main.js', '--n', '30']));
    stage('the documentation is built, and its links lead somewhere', () =>
      command(['node_modules/vitepress/bin/vitepress.js', 'build', 'docs']),
    );
    stage('packages install from tarballs', () => command(['tools/ci/pack-and-install.mjs']));
    stage('the 0.21.2 client', () => {
      const { status } = spawnSync('bash', ['tools/compat/run.sh'], { cwd: root, stdio: 'inherit' });
      return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    });
  }
}

if (full) {
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const lines = [
    '# Verification',
    '',
    `The last \`npm run test:full\`: ${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${cpus().length} CPUs, ${process.platform} ${process.arch}.`,
    '',
    '| stage | passed | failed | seconds |',
    '| --- | --- | --- | --- |',
    ...summary,
    '',
    `${totals.passed} passed, ${totals.failed} failed.`,
    '',
  ];
  writeFileSync(join(root, 'docs/verification.md'), lines.join('\n'));
}

console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
