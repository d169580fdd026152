import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Catalog, decodeCatalog } from '@dstack/catalog';
import { oracleLists } from './support/oracle-lists.js';

it('lists that only a proxy can reach are read through it', async () => {
  const lists = oracleLists(2.1);
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    const { host, pathname } = new URL(request.url ?? '');
    asked.push(`${host}${pathname}`);
    response.end(lists(request.url ?? ''));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const out = mkdtempSync(join(tmpdir(), 'catalog-'));
  try {
    const program = join(import.meta.dirname, '../dist/main.js');
    const urls = ['--url', 'oci=http://products.test/list', '--url', 'oci-shapes=http://shapes.test/shapes.json'];
    const env = {
      ...process.env,
      NO_PROXY: '',
      HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    };
    const args = [program, 'refresh', 'oci', '--out', out, ...urls];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env, NODE_OPTIONS: '' } });
    expect(stdout).toMatch(/^oci: \d+ prices, before \d+: /);
    expect([...new Set(asked)].sort()).toEqual(['products.test/list', 'shapes.test/shapes.json']);
    const catalog = new Catalog(decodeCatalog(readFileSync(join(out, 'oci.catalog'))));
    expect(catalog.size).toBeGreaterThan(80);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    rmSync(out, { recursive: true });
  }
});
