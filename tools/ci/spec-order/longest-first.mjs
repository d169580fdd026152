import Sequencer from '@jest/test-sequencer';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const root = new URL('../../..', import.meta.url).pathname;
/** @type {Record<string, number>} seconds that a spec took on two CPUs, where that is ten and more */
const SECONDS = JSON.parse(readFileSync(new URL('long-specs.json', import.meta.url), 'utf8'));

/**
 * Jest knows what takes long only where it ran before, and goes by the size of files elsewhere: a story of a minute that fits on a
 * page started last, and everything waited for it.
 */
export default class LongestFirst extends Sequencer {
  async sort(tests) {
    const seconds = ({ path }) => SECONDS[relative(root, path)] ?? 0;
    return [...(await super.sort(tests))].sort((one, other) => seconds(other) - seconds(one));
  }
}
