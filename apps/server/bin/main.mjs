// The server's program: what `npm run build` has bundled, unless something was built after it. An installed package has no build info.
import { realpathSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const changedAt = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const bundledAt = changedAt('../bundle/main.js');
const isFresh = bundledAt > 0 && changedAt('../dist/tsconfig.lib.tsbuildinfo') <= bundledAt;

export const { main, describeStartError, run } = await import(isFresh ? '../bundle/main.js' : '../dist/main.js');

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) await run();
