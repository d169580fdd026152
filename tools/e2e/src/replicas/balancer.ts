import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { until } from '../until.js';

export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/sbin/nginx';

/** nginx before several servers, set as docs/guides/deployment.md says; undefined where it is not installed. */
export async function startBalancer(urls: readonly string[]): Promise<Balancer | undefined> {
  if (!existsSync(PROGRAM)) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dstack-balancer-'));
  const port = await freePort();
  const file = join(dir, 'nginx.conf');
  writeFileSync(file, configuration(dir, port, urls));
  const child: ChildProcess = spawn(PROGRAM, ['-c', file, '-e', join(dir, 'error.log')], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/healthcheck`).then(
      (reply) => reply.ok,
      () => false,
    );
  await until('nginx to answer', answers);
  return {
    url,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configuration(dir: string, port: number, urls: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(dir, name)};`,
  );
  return `daemon off;
worker_processes 1;
pid ${join(dir, 'nginx.pid')};
events { worker_connections 512; }
http {
  access_log off;
${temporary.join('\n')}
  upstream dstack {
${urls.map((url) => `    server ${new URL(url).host} max_fails=1 fail_timeout=2s;`).join('\n')}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://dstack;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_buffering off;
      proxy_read_timeout 1h;
      client_max_body_size 0;
    }
  }
}
`;
}
