import { ALL_DEFECTS } from './all-defects.js';
import type { Told } from './told.js';
import { defectiveModules } from './defective-modules.js';
import { loadInstead } from './load-instead.js';

/** A process that tells one story for each seed it is sent, of the kind named in its first argument, by a server with the defect named in the second one, or with none. */
const [, , stories, name] = process.argv;
const defect = ALL_DEFECTS.find((each) => each.name === name);
const modules = defect === undefined ? new Map<string, string>() : defectiveModules(defect);
const missed = loadInstead(modules);
// Not before: what is imported here is the server that the defect is in.
const { CREATE_FAULTS, simulate, usualStory } = await import('@dstack/simulator');
if (missed().length > 0)
  throw new Error(`the simulator does not load ${missed().join(', ')}: the defect changes nothing`);

process.on('message', (seed: number) => {
  const story = stories === 'gateways' ? { runs: 0, gateways: 2, faults: CREATE_FAULTS } : usualStory(seed);
  simulate({ seed, ...story }).then(
    ({ violations }) => process.send?.({ violations } satisfies Told),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

// Whoever asked is gone.
process.on('disconnect', () => process.exit());
