import type Docker from 'dockerode';
import { EngineFacts } from './engine-facts.js';

type Version = Awaited<ReturnType<Docker['version']>>;
const LINUX = { Version: '27.1', Os: 'linux' } as Version; // the part that is looked at
const never = new Promise<Version>(() => undefined);

/** An engine that gives these answers, one after the other. */
function facts(...answers: (() => Promise<Version>)[]): EngineFacts {
  return new EngineFacts({ version: () => (answers.shift() ?? (() => never))() }, 20);
}

describe('whether a container engine is there', () => {
  it('it is when it answers', async () => {
    expect(await facts(async () => LINUX).ask()).toEqual({ available: true, detail: 'Docker 27.1' });
  });

  it('it is not when it never answered', async () => {
    const { available, detail } = await facts(() => never).ask();
    expect([available, detail]).toEqual([false, 'Docker Engine did not answer within 0.02 s']);
  });

  it('it still is when it is slow once it has answered', async () => {
    const engine = facts(
      async () => LINUX,
      () => never,
    );
    await engine.ask();
    expect(await engine.ask()).toEqual({
      available: true,
      detail: 'Docker 27.1, which is slow to answer just now',
    });
  });

  it('it is not any more when nobody listens', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const engine = facts(
      async () => LINUX,
      () => Promise.reject(refused),
      () => never,
    );
    await engine.ask();
    expect(await engine.ask()).toMatchObject({ available: false });
    expect(await engine.ask()).toMatchObject({ available: false });
  });

  it('one of another system is of no use', async () => {
    const windows = { ...LINUX, Os: 'windows' };
    expect(await facts(async () => windows).ask()).toMatchObject({ available: false });
  });
});
