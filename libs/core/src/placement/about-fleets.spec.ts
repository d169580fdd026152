import { nothingCreated, unknownFleets } from './about-fleets.js';

it.each<[string, readonly string[] | null, readonly string[]]>([
  ['nothing where the run takes any fleet', null, []],
  ['nothing where all are there', ['a'], []],
  ['each that is not there', ['a', 'nope'], ['fleet nope: does not exist']],
])('of fleets it is said: %s', (_what, named, texts) => {
  expect(unknownFleets(named, ['a', 'b']).map(({ text }) => text)).toEqual(texts);
});

it('a fleet from which nothing is created is named', () => {
  expect(nothingCreated('a')).toEqual({
    code: 'fleet',
    text: 'fleet a: nothing is created, as creation_policy is reuse',
  });
});
