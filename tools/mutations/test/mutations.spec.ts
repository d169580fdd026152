import { describe, expect, it } from '@jest/globals';
import { ALL_DEFECTS } from '../src/all-defects.js';
import { applyEdits, DefectDoesNotApplyError } from '../src/apply-edits.js';
import { Baseline } from '../src/baseline.js';
import type { Defect } from '../src/defect.js';
import { defectiveModules } from '../src/defective-modules.js';
import { hunt } from '../src/hunt.js';
import { StoryBrokenError } from '../src/story-broken-error.js';
import { StoryTeller } from '../src/story-teller.js';
import type { Told } from '../src/told.js';
import { SourceDoesNotParseError, transpile } from '../src/transpile.js';

describe('the defects', () => {
  it.each(ALL_DEFECTS.map((defect) => [defect.name, defect] as const))(
    '%s is one of the sources of today',
    (_, defect) => {
      const modules = defectiveModules(defect);
      expect(modules.size).toBe(new Set(defect.edits.map(({ file }) => file)).size);
    },
  );

  it('have names of their own', () => {
    expect(new Set(ALL_DEFECTS.map(({ name }) => name)).size).toBe(ALL_DEFECTS.length);
    expect(ALL_DEFECTS.length).toBeGreaterThanOrEqual(24);
  });

  it('change something', () => {
    const idle = ALL_DEFECTS.flatMap(({ name, edits }) =>
      edits.some((edit) => edit.find === edit.replace) ? [name] : [],
    );
    expect(idle).toEqual([]);
  });

  it('say so when their text is not there any more, or stands there twice', () => {
    const defect = (find: string): Defect => ({ name: 'x', loses: '', edits: [{ file: 'a.ts', find, replace: '' }] });
    const read = (): string => 'one two two';
    expect([...applyEdits(defect('one '), read)]).toEqual([['a.ts', 'two two']]);
    for (const text of ['three', 'two']) {
      expect(() => applyEdits(defect(text), read)).toThrow(DefectDoesNotApplyError);
      expect(() => applyEdits(defect(text), read)).toThrow(/defect x does not apply to a\.ts/);
    }
  });

  it('leave sources that parse', () => {
    expect(transpile('a.ts', 'export const a: number = 1;')).toContain('export const a = 1;');
    expect(() => transpile('a.ts', 'export const a = (;')).toThrow(SourceDoesNotParseError);
  });
});

describe('the hunt', () => {
  const teller =
    (broken: Readonly<Record<number, string>>) =>
    async (seed: number): Promise<Told> => ({
      violations: broken[seed] === undefined ? [] : [broken[seed]],
    });
  const SOUND = teller({});

  it('ends at the first seed whose story goes wrong', async () => {
    const hunted = await hunt({ tell: teller({ 3: 'lost', 4: 'lost too' }), baseline: SOUND, seeds: 5 });
    expect(hunted).toEqual({ caught: true, seed: 3, violation: 'lost' });
  });

  it('does not count a seed that goes wrong without the defect', async () => {
    const baseline = new Baseline(teller({ 3: 'a bug' }));
    const hunted = await hunt({ tell: teller({ 3: 'lost' }), baseline: (seed) => baseline.of(seed), seeds: 5 });
    expect(hunted).toEqual({ caught: false, seedsTried: 5, because: null });
    expect(await baseline.unclean()).toEqual([{ seed: 3, violation: 'a bug' }]);
  });

  it('does not take a simulation that breaks off for one that found something', async () => {
    const tell = (): Promise<Told> => Promise.reject(new StoryBrokenError('no end'));
    expect(await hunt({ tell, baseline: SOUND, seeds: 5 })).toEqual({
      caught: false,
      seedsTried: 1,
      because: 'no end',
    });
  });
});

describe('the simulator', () => {
  it('tells the server with a defect from the one without', async () => {
    const [sound, defective] = [new StoryTeller('usual', null), new StoryTeller('usual', 'decrement-is-lost')];
    try {
      const [good, bad] = await Promise.all([sound.tell(1), defective.tell(1)]);
      expect(good.violations).toEqual([]);
      expect(bad.violations[0]).toMatch(/blocks busy/);
    } finally {
      sound.end();
      defective.end();
    }
  });
});
