#!/usr/bin/env node
/**
 * `npm run tidy`: what lint cannot say. Fails on banned names and words; prints file sizes for people to read.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file && !file.includes('/generated/'));

const rules = [
  [/(^|\/)(utils?|helpers?|misc|common)\.ts$/, 'path', 'name a file by its one idea'],
  [/^\s*export \* from/m, 'text', 'an index names its exports'],
  [/\bTODO\b|\bFIXME\b|\bXXX\b/, 'text', 'finish it, or write it down in the docs'],
  [/\b(it|test|describe)\.only\(/, 'text', 'a focused test hides the others'],
  [/@ts-ignore/, 'text', 'say why with @ts-expect-error, or fix the type'],
];

const sized = [];
let violations = 0;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  sized.push([text.split('\n').length, file]);
  if (file === 'tools/ci/tidy.mjs') continue;
  for (const [pattern, where, reason] of rules) {
    if (!pattern.test(where === 'path' ? file : text)) continue;
    violations += 1;
    console.log(`${file}: ${reason} (${pattern})`);
  }
}

for (const file of Object.keys(JSON.parse(readFileSync('tools/ci/spec-order/long-specs.json', 'utf8')))) {
  if (existsSync(file)) continue;
  violations += 1;
  console.log(`tools/ci/spec-order/long-specs.json: there is no ${file}`);
}

const source = sized.filter(([, file]) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
const tests = sized.filter(([, file]) => file.endsWith('.spec.ts'));
const quantile = (list, q) =>
  list.map(([lines]) => lines).sort((a, b) => a - b)[Math.floor((list.length - 1) * q)] ?? 0;
const total = (list) => list.reduce((sum, [lines]) => sum + lines, 0);
console.log(
  `sources: ${source.length} files, ${total(source)} lines, median ${quantile(source, 0.5)}, p90 ${quantile(source, 0.9)}`,
);
console.log(`tests:   ${tests.length} files, ${total(tests)} lines`);
console.log('longest sources:');
for (const [lines, file] of source.sort((a, b) => b[0] - a[0]).slice(0, 15))
  console.log(`  ${String(lines).padStart(5)}  ${file}`);
process.exit(violations === 0 ? 0 : 1);
