import { configuredContexts } from './contexts.js';
import { kubernetesDefinition } from './definition.js';
import { contextOf, parseKubeconfig } from './kubeconfig.js';
import { forbiddenOfSenders, unsupported } from './kubeconfig-policy.js';

const TEXT = `
apiVersion: v1
kind: Config
current-context: here
clusters:
  - {name: c, cluster: {server: https://192.0.2.1:6443}}
users:
  - {name: u, user: {token: secret}}
contexts:
  - {name: here, context: {cluster: c, user: u}}
  - {name: there, context: {cluster: c, user: u, namespace: team}}
  - {name: lost, context: {cluster: gone, user: u}}
  - {name: nobody, context: {cluster: c, user: gone}}
`;

const withUser = (user: object, cluster: object = {}) =>
  contextOf(
    parseKubeconfig(
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: 'https://c.example', ...cluster } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      }),
    ),
    'x',
  );

describe('a kubeconfig', () => {
  it.each([
    ['is not YAML in line 2', 'a: 1\nb: @x', null],
    ['is not a kubeconfig at clusters.0.cluster.server', 'clusters: [{name: c, cluster: {server: nowhere}}]', null],
    ['is not a kubeconfig', 'just words', null],
    ['has no current-context', 'contexts: []', null],
    ['has no context mars: it has here, there, lost, nobody', TEXT, 'mars'],
    ['has no cluster gone, which lost names', TEXT, 'lost'],
    ['has no user gone, whom nobody names', TEXT, 'nobody'],
  ])('%s', (message, text, name) => {
    expect(() => contextOf(parseKubeconfig(text), name)).toThrow(message);
  });

  it('never shows what it holds', () => {
    const broken = TEXT.replace('https://192.0.2.1:6443', 'secret-place');
    expect(() => parseKubeconfig(broken)).toThrow(/^(?!.*secret-place)is not a kubeconfig/);
  });
});

describe('the contexts that are used', () => {
  const of = (config: object) =>
    configuredContexts(
      kubernetesDefinition.configSchema.parse({ type: 'kubernetes', kubeconfig: { data: TEXT }, ...config }),
      parseKubeconfig(TEXT),
    ).map(({ region, namespace, proxyJump, path }) => ({ region, namespace, proxyJump, path }));

  it('are those that are named, with their own namespaces and ways in', () => {
    const jump = { hostname: '203.0.113.171', port: 32_000 };
    expect(of({ contexts: ['here', { name: 'there', proxy_jump: jump }] })).toEqual([
      { region: 'here', namespace: 'default', proxyJump: {}, path: ['contexts', 0] },
      { region: 'there', namespace: 'team', proxyJump: jump, path: ['contexts', 1] },
    ]);
  });

  it('are the current one, in a region without a name, as it used to be', () => {
    expect(of({ namespace: 'own', proxy_jump: { port: 32_000 } })).toEqual([
      { region: '', namespace: 'own', proxyJump: { port: 32_000 }, path: ['kubeconfig'] },
    ]);
  });
});

describe('the configuration', () => {
  it.each([
    [{}, 'kubeconfig'],
    [{ kubeconfig: { filename: '~/.kube/config' } }, 'kubeconfig.data'],
    [{ kubeconfig: { data: TEXT }, contexts: [] }, 'contexts'],
    [{ kubeconfig: { data: TEXT }, contexts: ['a', { name: 'a' }] }, 'contexts.1'],
    [{ kubeconfig: { data: TEXT }, contexts: ['a'], namespace: 'n' }, 'namespace'],
    [{ kubeconfig: { data: TEXT }, contexts: ['a'], proxy_jump: { port: 32_000 } }, 'proxy_jump'],
    [{ kubeconfig: { data: TEXT }, namespace: 'Not A Name' }, 'namespace'],
    [{ kubeconfig: { data: TEXT }, proxy_jump: { port: 70_000 } }, 'proxy_jump.port'],
  ])('%j is wrong at %s', (config, path) => {
    const result = kubernetesDefinition.configSchema.safeParse({ type: 'kubernetes', ...config });
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});

describe('somebody who sends a kubeconfig', () => {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'aws' };
  it.each([
    ['a token', withUser({ token: 't' }), []],
    ['certificates in it', withUser({ 'client-certificate-data': 'x', 'client-key-data': 'y' }, { 'certificate-authority-data': 'z' }), []],
    ['a program', withUser({ exec }), ['exec']],
    ['a program of old', withUser({ 'auth-provider': { name: 'gcp' } }), ['auth-provider']],
    ['files', withUser({ tokenFile: '/etc/shadow', 'client-key': '/k', 'client-certificate': '/c' }, { 'certificate-authority': '/ca' }), ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']],
  ])('with %s', (_what, context, fields) => {
    expect(forbiddenOfSenders(context).map((problem) => /\((\S+)\)/.exec(problem)?.[1])).toEqual(fields);
  }); // prettier-ignore

  it('is told what nobody can use here', () => {
    expect(unsupported(withUser({ 'auth-provider': { name: 'gcp' } }, { 'proxy-url': 'http://p' }))).toHaveLength(2);
    expect(unsupported(withUser({ exec }))).toEqual([]);
  });
});
