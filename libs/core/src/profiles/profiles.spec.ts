import { parseProfilesText } from './parse-profiles.js';
import { mergeFleetProfile, mergeProfile } from './merge-profile.js';
import { type ProfileChoice, emptyProfile, selectProfile } from './select-profile.js';

const parse = (text: string) => parseProfilesText(text, { file: '.dstack/profiles.yml' }).configuration;
const project = parse(
  'profiles:\n  - name: big\n    max_price: 10\n  - name: usual\n    default: yes\n    spot_policy: auto\n',
);
const home = parse('profiles:\n  - name: big\n    max_price: 99\n  - name: mine\n    default: true\n');
const nothing = parse('profiles: []\n');

it.each<[string, Partial<ProfileChoice>, string]>([
  ['the default of the project', { files: [project, home] }, 'usual'],
  ['the default of the home directory', { files: [nothing, home] }, 'mine'],
  ['no default', { files: [nothing] }, 'default'],
  ['no files', { files: [] }, 'default'],
  ['--profile', { files: [project, home], name: 'mine' }, 'mine'],
  ['--no-profile', { files: [project], none: true, env: { DSTACK_PROFILE: 'big' } }, 'no-profile'],
  ['DSTACK_PROFILE', { files: [project], env: { DSTACK_PROFILE: 'big' } }, 'big'],
  ['DSTACK_NO_PROFILE', { files: [project], env: { DSTACK_NO_PROFILE: 'on', DSTACK_PROFILE: 'big' } }, 'no-profile'],
  ['DSTACK_NO_PROFILE=0', { files: [project], env: { DSTACK_NO_PROFILE: '0' } }, 'usual'],
  [
    '--profile over DSTACK_NO_PROFILE',
    { files: [project], name: 'big', env: { DSTACK_NO_PROFILE: 'nonsense' } },
    'big',
  ],
])('%s', (_rule, choice, name) => {
  expect(selectProfile({ env: {}, files: [], ...choice }).name).toBe(name);
});

it('the file of the project comes before that of the home directory', () => {
  expect(selectProfile({ name: 'big', env: {}, files: [project, home] }).max_price).toBe(10);
});

it.each<[Partial<ProfileChoice>, string]>([
  [{ name: 'small' }, 'No such profile: small (known profiles: big, usual)'],
  [{ env: { DSTACK_PROFILE: 'small' } }, 'No such profile: small, which DSTACK_PROFILE asks for (known'],
  [{ env: { DSTACK_NO_PROFILE: 'perhaps' } }, 'DSTACK_NO_PROFILE must be one of'],
])('%j is refused', (choice, message) => {
  expect(() => selectProfile({ env: {}, files: [project], ...choice })).toThrow(message);
});

it('a profile is told wrong with its line', () => {
  expect(() => parse('profiles:\n  - name: a\n    max_prise: 1\n')).toThrow(
    '.dstack/profiles.yml:3:5: profiles.0.max_prise: is not a known property here, did you mean max_price?',
  );
  expect(() => parse('profiles:\n  - name: a\n  - name: a\n')).toThrow('duplicate profile name "a"');
});

it('what a configuration sets replaces the value of the profile whole', () => {
  const profile = {
    ...emptyProfile('p'),
    max_price: 5,
    retry: { on_events: null, duration: 60 },
    tags: { a: '1' },
    regions: ['x'],
  };
  const merged = mergeProfile({ retry: false, tags: { b: '2' }, regions: null }, profile);
  expect(merged).toEqual({ ...profile, retry: false, tags: { b: '2' } });
});

it('only the parameters of profiles are merged', () => {
  expect(mergeProfile({ name: 'run', commands: ['x'] } as object, emptyProfile('p'))).toEqual(emptyProfile('p'));
});

it('a fleet is on-demand and does not retry unless told', () => {
  expect(mergeFleetProfile({}, emptyProfile('p'))).toMatchObject({ spot_policy: 'on-demand', retry: false });
  expect(mergeFleetProfile({ retry: true }, { ...emptyProfile('p'), spot_policy: 'auto' })).toMatchObject({
    spot_policy: 'auto',
    retry: true,
  });
});
