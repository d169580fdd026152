import { get, type RequestOptions } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { ClientConfig } from '../src/client-config/client-config.js';
import { BrowserAnswers } from '../src/login/browser-answer.js';
import { chooseDefault, withLogin } from '../src/login/logged-in-config.js';
import { opener } from '../src/login/open-browser.js';

const configured = (...names: string[]): ClientConfig => ({
  projects: names.map((name, index) => ({ name, url: 'http://a', token: 'old', default: index === 0 })),
});

describe('the configuration after a login', () => {
  it('has all projects of the user with the new token, and the default as before', () => {
    const login = { url: 'http://a', token: 'new', projects: ['team', 'main'] };
    expect(withLogin(configured('main', 'other'), login).projects).toEqual([
      { name: 'main', url: 'http://a', token: 'new', default: true },
      { name: 'other', url: 'http://a', token: 'old', default: false },
      { name: 'team', url: 'http://a', token: 'new', default: false },
    ]);
  });

  it.each<[string, ClientConfig, string[], object, unknown]>([
    ['the only project there is', configured('main'), ['main'], {}, { name: 'main' }],
    ['what is chosen on a terminal', configured('main', 'b'), ['b'], { canAsk: true }, 'ask'],
    ['what it was, when nobody can be asked', configured('main', 'b'), ['b'], {}, 'keep'],
    ['the first, when there was none', withLogin({ projects: [] }, { url: '', token: '', projects: ['b', 'c'] }), ['b', 'c'], {}, { name: 'b' }],
    ['the first with -y', configured('main', 'b', 'c'), ['c', 'b'], { yes: true, canAsk: true }, { name: 'c' }],
    ['what it was with -n', configured('main', 'b'), ['b'], { no: true, canAsk: true }, 'keep'],
    ['what it was for who is in no project', configured('main', 'b'), [], { yes: true }, 'keep'],
  ])('has as its default %s', (_rule, config, projects, how, expected) =>
    expect(chooseDefault(config, projects, { yes: false, no: false, canAsk: false, ...how })).toEqual(expected)); // prettier-ignore
});

it('takes the answer to its own sign-in from the browser, and no other', async () => {
  const answers = await BrowserAnswers.listen();
  const answer = answers.next('mine');
  const visit = (query: string) => fetch(`http://127.0.0.1:${answers.port}/?${query}`);
  expect((await visit('code=c&state=theirs')).status).toBe(400);
  expect((await visit('')).status).toBe(400);
  expect(await statusOf({ port: answers.port, path: '//[' })).toBe(400);
  expect(await (await visit('code=c&state=mine')).text()).toContain('Go back to the terminal');
  expect(await answer).toEqual({ code: 'c', state: 'mine' });
  await answers.close();
});

it('ends when the provider lets nobody in, and when nobody comes', async () => {
  const answers = await BrowserAnswers.listen();
  const refused = answers.next('mine');
  const told = expect(refused).rejects.toMatchObject({ name: 'SignInRefusedError', message: 'access_denied??31m?' });
  const visit = (query: string) => fetch(`http://127.0.0.1:${answers.port}/?${query}`);
  expect((await visit('error=access_denied&state=theirs')).status).toBe(400);
  expect(await (await visit('error=access_denied%1b[31m%00&state=mine')).text()).toContain('You are not signed in');
  await told;
  const nobody = new AbortController();
  const waiting = answers.next('another', nobody.signal);
  nobody.abort(new Error('ten minutes are over'));
  await expect(waiting).rejects.toThrow('ten minutes are over');
  await answers.close();
});

/** As `fetch` does not ask: a target that is no address. */
function statusOf(target: RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(target, (reply) => resolve(reply.resume().statusCode)).once('error', reject);
  });
}

it('hands addresses to the browser alone', () => {
  expect(opener('https://a/?x=1&y=$(id)', 'linux')).toEqual(['xdg-open', 'https://a/?x=1&y=$(id)']);
  expect(opener('file:///etc/passwd', 'darwin')).toEqual([]);
});
