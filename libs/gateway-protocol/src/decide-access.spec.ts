import { decideAccess } from './decide-access.js';

const member = { hash: 'h', projects: ['main'], expiresAt: null };
const admin = { ...member, projects: '*' as const };
const nobody = { ...member, projects: [] };

it.each([
  ['a member', { auth: true, token: member }, 'in, dropped'],
  ['an admin', { auth: true, token: admin }, 'in, dropped'],
  ['a stranger', { auth: true, token: nobody }, 'stranger'],
  ['nobody', { auth: true, token: undefined }, 'stranger'],
  ['a member after long silence of the server', { auth: true, token: member, isStale: true }, 'stale'],
  ['anybody at an open service', { auth: false, token: undefined }, 'in, kept'],
  ['a stranger at an open service: the token is not for the replica', { auth: false, token: nobody }, 'in, dropped'],
  ['one that comes beside something else', { auth: false, token: undefined, hasToken: true }, 'in, dropped'],
  ['an open service after long silence', { auth: false, token: undefined, isStale: true }, 'in, kept'],
])('%s', (_who, question, expected) => {
  const decision = decideAccess({
    project: 'main',
    isStale: false,
    hasToken: question.token !== undefined,
    ...question,
  });
  const said = decision.kind === 'refused' ? decision.why : `in, ${decision.dropsCredential ? 'dropped' : 'kept'}`;
  expect(said).toBe(expected);
});
