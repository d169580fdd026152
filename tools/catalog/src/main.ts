import { parseArgs } from 'node:util';
import { pack } from './pack.js';
import { TABLES } from './tables.js';

const USAGE = `npm run catalog -- pack DIRECTORY [CLOUD…]
Writes libs/catalog/data from the tables in DIRECTORY: ${Object.values(TABLES)
  .flat()
  .map(({ file }) => file)
  .join(', ')}.`;

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [command, directory, ...clouds] = positionals;

if (values.help) console.log(USAGE);
else if (command !== 'pack' || directory === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else packAll(directory);

function packAll(from: string): void {
  for (const [cloud, tables] of Object.entries(TABLES)) {
    if (clouds.length > 0 && !clouds.includes(cloud)) continue;
    const { rows, types, bytes } = pack(cloud, tables, from);
    console.log(`${cloud}: ${rows} prices of ${types} types, ${Math.round(bytes / 1024)} KiB`);
  }
}
