/** `npm run test:full`: the stories that take long, too. */
export const isFullRun = process.env['DSTACK_TEST_FULL'] === '1';

/** Of a story that is told in the full run alone. */
export const OF_FULL_RUN = 'it is part of the full run';
