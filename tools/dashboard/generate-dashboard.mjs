// Writes Grafana's dashboard of the compose file; with --check fails when the file is another one. Needs the built package (tsc -b).
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { dashboard } from './dist/dashboard.js';

const target = new URL('../../docker/compose/grafana/dashboards/dstack.json', import.meta.url);
const style = await resolveConfig(target);
const wanted = await format(JSON.stringify(dashboard(), null, 2), { ...style, parser: 'json' });

if (process.argv.includes('--check')) {
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== wanted) {
    console.error(
      'docker/compose/grafana/dashboards/dstack.json is stale: run node tools/dashboard/generate-dashboard.mjs after tsc -b',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(target, wanted);
}
