import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { startTestServer, type TestServer } from './support/start-test-server.js';

const base = mkdtempSync(join(tmpdir(), 'dstack-templates-'));
const repo = join(base, 'repo');
let git: Server;
let url: string;
let server: TestServer;

const TEMPLATE = `type: template
name: in-browser
title: In-browser IDE
parameters: [{type: name}, {type: env, name: PASSWORD, title: Password}]
configuration: {type: service, port: 8080}
`;

beforeAll(async () => {
  const folder = join(repo, '.dstack/templates');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ide.yml'), TEMPLATE);
  writeFileSync(join(folder, 'broken.yaml'), 'type: template\nname: [');
  writeFileSync(join(folder, 'wrong.yaml'), 'type: template\nname: 1\nmore: 2\n');
  writeFileSync(join(folder, 'other.yaml'), 'type: task\n');
  symlinkSync('/etc/hosts', join(folder, 'link.yml'));
  const run = (...args: string[]): unknown => execFileSync('git', ['-C', repo, ...args], { stdio: 'ignore' });
  run('init', '-b', 'main');
  run('add', '-A');
  run('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-m', 'templates');
  git = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(git, 'listening');
  url = `http://127.0.0.1:${(git.address() as AddressInfo).port}/repo/.git`;
  server = await startTestServer({ backgroundProcessing: false });
});
afterAll(async () => {
  await server.close();
  git.close();
  rmSync(base, { recursive: true, force: true });
});

/** By git's own CGI program. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
  const body = await buffer(request);
  const cgi = spawnSync('git', ['http-backend'], {
    input: request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body,
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: base,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: request.headers['content-type'],
    },
  });
  const end = cgi.stdout.indexOf('\r\n\r\n');
  const head = cgi.stdout.subarray(0, end).toString();
  const type = /content-type: (.*)/i.exec(head)?.[1]?.trim() ?? 'text/plain';
  response.writeHead(/^status: (\d+)/im.exec(head) ? 404 : 200, { 'content-type': type });
  response.end(cgi.stdout.subarray(end + 4));
}

describe('templates of a project', () => {
  const list = async (): Promise<unknown> => (await server.post('/api/project/main/templates/list')).body;

  it('are none where no repo is named', async () => expect(await list()).toEqual([]));

  it.each(['file:///etc', 'ext::sh -c id', '--upload-pack=x', 'git@github.com:a/b'])(
    'are not read from %s',
    async (templates_repo) => {
      const reply = await server.post('/api/projects/main/update', { templates_repo });
      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('begins with https://')]);
    },
  );

  it('are not read from where there is none', async () => {
    const reply = await server.post('/api/projects/main/update', { templates_repo: 'http://127.0.0.1:1/' });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('git cannot reach the repo')]);
  });

  it('are those of its repo, without what is none', async () => {
    expect((await server.post('/api/projects/main/update', { templates_repo: url })).status).toBe(200);
    expect(await list()).toMatchObject([
      { name: 'in-browser', title: 'In-browser IDE', configuration: { type: 'service' }, parameters: [{ type: 'name' }, { type: 'env', name: 'PASSWORD' }] },
    ]); // prettier-ignore
  });

  it('are those of the server again when the project resets its repo', async () => {
    await server.post('/api/projects/main/update', { reset_templates_repo: true });
    expect(await list()).toEqual([]);
  });
});
