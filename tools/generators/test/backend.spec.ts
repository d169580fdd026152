import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import backendGenerator from '../src/backend/generator.js';

const root = new URL('../../../', import.meta.url).pathname;

function workspace() {
  const tree = createTreeWithEmptyWorkspace();
  for (const folder of ['libs/backends/lambda', 'tools/cloud-fakes/src/lambda']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.includes('/dist/')) tree.write(path.slice(root.length), readFileSync(path));
    }
  }
  return tree;
}

it('copies a backend and its stand-in under the new name', () => {
  const tree = workspace();
  backendGenerator(tree, { type: 'vultr', title: 'Vultr' });
  const written = tree.listChanges().filter(({ path }) => path.includes('vultr'));
  const paths = written.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'libs/backends/vultr/package.json',
      'libs/backends/vultr/src/vultr-compute.ts',
      'libs/backends/vultr/test/conformance.spec.ts',
      'tools/cloud-fakes/src/vultr/vultr-fake.ts',
    ]),
  );
  const stillNamed = written.filter(({ path, content }) => /lambda/i.test(`${path} ${content?.toString() ?? ''}`));
  expect(stillNamed.map(({ path }) => path)).toEqual([]);
  expect(tree.read('libs/backends/vultr/src/definition.ts', 'utf8')).toContain("title: 'Vultr'");
});

it.each([
  ['moonbase', 'moonbase is no backend type that clients know'],
  ['lambda', 'libs/backends/lambda exists already'],
])('%s is refused', (type, message) => {
  expect(() => backendGenerator(workspace(), { type, title: 'X' })).toThrow(message);
});
