import { chosenKey } from './chosen-key.js';

const key = (id: string, name: string) => ({
  id, name, type: 'ssh-ed25519', fingerprint: `SHA256:${id}`, added_at: '2026-01-01T00:00:00Z',
}); // prettier-ignore
const KEYS = [key('1', 'laptop'), key('2', 'desk'), key('3', 'desk'), key('4', 'SHA256:1')];

it.each([
  ['laptop', '1'],
  ['SHA256:3', '3'],
  ['2', '2'],
  // What cannot be meant otherwise wins over a name.
  ['SHA256:1', '1'],
])('%s is the key %s', (text, id) => {
  expect(chosenKey(KEYS, text).id).toBe(id);
});

it.each([
  ['phone', 'You have no key phone.'],
  ['desk', 'Several keys are called desk.'],
])('%s is refused: %s', (text, message) => {
  expect(() => chosenKey(KEYS, text)).toThrow(message);
});
