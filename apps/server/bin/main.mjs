// The server's program: what `npm run build` has bundled, unless something was built or packages were installed after it. Where it is itself an
// installed package there is neither build info nor a checkout's list of packages.
import { realpathSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const changedAt = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const bundledAt = changedAt('../bundle/main.js');
const madeOf = ['../dist/tsconfig.lib.tsbuildinfo', '../../../node_modules/.package-lock.json'];
const isFresh = bundledAt > 0 && madeOf.every((path) => changedAt(path) <= bundledAt);

export const { main, describeStartError, run } = await import(isFresh ? '../bundle/main.js' : '../dist/main.js');

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) await run();
