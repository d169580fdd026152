import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE', 'License'];

/**
 * The terms of all packages whose code is in a bundle: whoever passes their code on passes on their terms.
 * @param {string} root against which esbuild resolved
 * @param {string[]} inputs of its metafile
 */
export function bundledLicences(root, inputs) {
  const packages = new Map();
  for (const input of inputs) {
    const [, folder, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input) ?? [];
    if (name !== undefined) packages.set(name, join(root, folder));
  }
  return [...packages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = FILES.map((each) => join(folder, each)).find((each) => existsSync(each));
      return `${name} ${version}, ${license}\n\n${file ? readFileSync(file, 'utf8').trim() : ''}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
