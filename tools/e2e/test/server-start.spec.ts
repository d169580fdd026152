import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Stack } from '../src/stack.js';

/** Hundreds of files each: whoever needs one of them loads it then. */
const NOT_AT_THE_START =
  /^(@aws-sdk\/|@google-cloud\/|@azure\/|oci-|@kubernetes\/|@nestjs\/swagger$|class-validator$|undici$|openid-client$|pg$|ssh2$)/;

/** A bundle says in comments which file each part of it is from. */
const NOTE_PACKAGES = (file: string): string => `
import { appendFileSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const known = new Set();
const note = (path) => {
  const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules\\/)/.exec(path) ?? [];
  if (name === undefined || known.has(name)) return;
  known.add(name);
  appendFileSync(${JSON.stringify(file)}, name + '\\n');
};
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    note(found.url);
    if (/\\/server\\/bundle\\/[^/]+\\.js$/.test(found.url))
      for (const [comment] of readFileSync(new URL(found.url), 'utf8').matchAll(/^\\/\\/ .*node_modules.*$/gm)) note(comment);
    return found;
  },
});`;

it('starts without the SDK of any cloud, and without what only some requests need', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dstack-loads-'));
  const hook = join(folder, 'note-packages.mjs');
  const file = join(folder, 'packages');
  writeFileSync(hook, NOTE_PACKAGES(file));
  const stack = new Stack({ NODE_OPTIONS: `--import ${pathToFileURL(hook).href}` });
  try {
    await stack.start();
    const loaded = readFileSync(file, 'utf8').trim().split('\n');
    expect(loaded).toContain('fastify');
    expect(loaded.filter((name) => NOT_AT_THE_START.test(name))).toEqual([]);
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
