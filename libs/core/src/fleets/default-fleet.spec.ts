import { describe, expect, it } from '@jest/globals';
import type * as Wire from '../wire/generated/api.js';
import { requirements } from '../../test/planning-builders.js';
import { combineFleetAndRun } from './combine-fleet-and-run.js';
import { DEFAULT_FLEET, defaultFleetSpec, needsDefaultFleet } from './default-fleet.js';
import { foreignFleets, namedFleets } from './fleet-references.js';
import { idleLimitMs } from './idle-limit.js';

describe('the default fleet', () => {
  it.each<[string, Wire.Profile, string[], boolean]>([
    ['is made for a run that names nothing in a project without fleets', {}, [], true],
    ['is not made beside other fleets', {}, ['lab'], false],
    ['is there already', {}, [DEFAULT_FLEET], false],
    ['is made when it is named, also beside others', { fleets: ['default'] }, ['lab'], true],
    ['is made when it is one of those named', { fleets: [{ name: 'lab' }, { name: 'default' }] }, ['lab'], true],
    ['is not made twice when it is named', { fleets: ['default'] }, ['default'], false],
    ['is not made for a run that names others', { fleets: ['lab'] }, [], false],
    ['is not made for that of another project', { fleets: ['other/default'] }, [], false],
    ['is made when it is named with its project', { fleets: ['main/default'] }, ['lab'], true],
    ['is not made for named instances', { instances: [{ name: 'lab-0' }] }, [], false],
    ['is not made for a run that only reuses', { creation_policy: 'reuse' }, [], false],
  ])('%s', (_rule, profile, activeFleets, expected) =>
    expect(needsDefaultFleet(profile, { name: 'main', activeFleets })).toBe(expected),
  );

  it('has no limit of its own', () => {
    const { configuration, autocreated } = defaultFleetSpec();
    const limits = ['resources', 'backends', 'regions', 'max_price', 'idle_duration', 'ssh_config'] as const;
    expect(limits.map((limit) => configuration[limit])).toEqual(limits.map(() => null));
    expect(configuration).toMatchObject({ name: 'default', nodes: { min: 0, max: null }, spot_policy: 'auto' });
    expect(autocreated).toBe(true);
  });

  it('asks of machines what the run asks, no more', () => {
    const asked = requirements({ gpu: { name: ['H100'], count: { min: 8, max: 8 } } }, { spot: true, max_price: 5 });
    const profile: Wire.Profile = { regions: ['eu'], spot_policy: 'spot', idle_duration: 60 };
    const combined = combineFleetAndRun(defaultFleetSpec(), { profile, requirements: asked });
    expect(combined).toMatchObject({
      ok: true,
      value: { requirements: { spot: true, max_price: 5, resources: asked.resources }, profile },
    });
  });
});

describe('idle machines', () => {
  const [own, users] = [{ autocreated: true }, { autocreated: false }];
  it.each([
    ['wait as long as the run says', { idleSeconds: 300, backendType: 'aws' }, own, 300_000],
    ['wait for ever when it says off', { idleSeconds: -1, backendType: 'aws' }, own, null],
    ['of the server itself are given up at once', { idleSeconds: 300, backendType: 'local' }, own, 0],
    ['of the server itself wait in a fleet that somebody wrote', { idleSeconds: 300, backendType: 'local' }, users, 300_000],
    ['without a fleet keep their limit', { idleSeconds: 5, backendType: null }, null, 5_000],
  ] as const)('%s', (_rule, instance, fleet, expected) => expect(idleLimitMs(instance, fleet)).toBe(expected)); // prettier-ignore
});

describe('references to fleets', () => {
  it('name own fleets with or without the project, those of others with it', () => {
    expect(namedFleets({}, 'main')).toBeNull();
    const fleets = ['lab', 'main/pool', { name: 'cloud' }, 'other/lab', { project: 'other', name: 'pool' }];
    expect(namedFleets({ fleets }, 'main')).toEqual(['lab', 'pool', 'cloud', 'other/lab', 'other/pool']);
  });

  it.each<[Wire.Profile, object[]]>([
    [{ fleets: ['lab', 'main/lab', { project: 'main', name: 'lab' }, { project: null, name: 'x' }] }, []],
    [{ fleets: ['other/lab'] }, [{ project: 'other', name: 'lab' }]],
    [{ instances: [{ fleet: { project: 'other', name: 'lab' }, instance: 0 }] }, [{ project: 'other', name: 'lab' }]],
  ])('to other projects have to be shared: %j', (profile, foreign) =>
    expect(foreignFleets(profile, 'main')).toEqual(foreign),
  );
});
