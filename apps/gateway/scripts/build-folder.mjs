// The gateway's own folder, with what starts it: nothing but nginx has to be on the machine.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFolder } from '../../../tools/ci/self-contained-folder.mjs';

await buildFolder({
  root: join(dirname(fileURLToPath(import.meta.url)), '..'),
  name: 'gateway',
  // Names are looked up by the system's rules.
  libraries: ['libnss_dns.so.2', 'libnss_files.so.2'],
  finish: (out, loader) =>
    writeFileSync(
      join(out, 'dstack-gateway'),
      `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/${loader}" --library-path "$here/lib" "$here/node" "$here/gateway.cjs" "$@"
`,
      { mode: 0o755 },
    ),
});
