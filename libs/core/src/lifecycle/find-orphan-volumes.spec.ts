import { findOrphanVolumes, type KnownVolume } from './find-orphan-volumes.js';

const listed = { volumeId: 'vol-1', cloudName: 'main-data-abc', token: 't1' };
const known = (given: Partial<KnownVolume>): KnownVolume => ({
  volumeId: null,
  cloudName: null,
  token: null,
  isOpen: false,
  ...given,
});

describe('volumes that nobody has', () => {
  it.each([
    ['nobody remembers', [], 'told'],
    ['somebody has by its id', [known({ volumeId: 'vol-1' })], null],
    ['is being created under its name', [known({ cloudName: 'main-data-abc', isOpen: true })], null],
    ['is being created with its token', [known({ token: 't1', isOpen: true })], null],
    ['was to be another one', [known({ cloudName: 'main-data-abc', volumeId: 'vol-2' })], 'deleted'],
    ['came after its volume had failed', [known({ cloudName: 'main-data-abc' })], 'deleted'],
  ])('a volume that %s', (_what, knowns, fate) => {
    const [orphan] = findOrphanVolumes([listed], knowns);
    expect(orphan === undefined ? null : orphan.isRemembered ? 'deleted' : 'told').toBe(fate);
  });

  it('one without a name may be any that is being created', () => {
    const nameless = { ...listed, cloudName: null, token: null };
    expect(findOrphanVolumes([nameless], [known({ cloudName: 'x', isOpen: true })])).toEqual([]);
    expect(findOrphanVolumes([nameless], [known({ volumeId: 'vol-9' })])).toEqual([
      { volume: nameless, isRemembered: false },
    ]);
  });
});
