import { expect, it } from '@jest/globals';
import { type AbsentFacts, whyAbsent } from './why-absent.js';

const facts = (changes: Partial<AbsentFacts> = {}): AbsentFacts => ({
  status: 'idle',
  isHost: true,
  isUnwanted: false,
  problem: null,
  endMessage: null,
  ...changes,
});

it.each<[string, Partial<AbsentFacts>, string | null]>([
  ['is there', {}, null],
  ['is there with jobs on it', { status: 'busy' }, null],
  ['was removed from its fleet while jobs are on it', { status: 'busy', isUnwanted: true }, 'being removed'],
  ['is going', { status: 'terminating' }, 'being removed'],
  ['is going and costs money', { status: 'terminating', isHost: false }, 'being terminated'],
  ['is prepared for the first time', { status: 'pending' }, 'still being prepared'],
  ['cannot be prepared', { status: 'pending', problem: 'no sudo' }, 'not ready: no sudo'],
  ['was named, and taken back before it was ready', { status: 'pending', isUnwanted: true }, 'being removed'],
  ['is being created', { status: 'launching', isHost: false }, 'still starting'],
  ['has given up', { status: 'terminated', endMessage: 'no sudo' }, 'cannot be used: no sudo'],
])('an instance that %s', (_rule, changes, expected) => expect(whyAbsent(facts(changes))).toBe(expected));
