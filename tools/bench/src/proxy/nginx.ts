import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Nginx {
  readonly port: number;
  /** Of the one process that does the work. */
  readonly workerPid: number;
  readonly end: () => Promise<void>;
}

/** One worker in front of the port, with connections kept open on both sides; null where there is no nginx. */
export async function startNginx(directory: string, upstreamPort: number): Promise<Nginx | null> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return null;
  const port = await freePort();
  const pidFile = join(directory, 'nginx.pid');
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration({ port, upstreamPort, directory, pidFile }));
  const master = spawn('nginx', ['-c', file, '-g', 'daemon off;'], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => master.once('exit', () => resolve()));
  const workerPid = await workerOf(master.pid ?? 0);
  return {
    port,
    workerPid,
    end: async () => {
      master.kill('SIGTERM');
      await gone;
    },
  };
}

async function workerOf(master: number): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim();
    if (children !== '') return Number(children.split(' ')[0]);
    await sleep(20);
  }
  throw new Error('nginx did not start');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function configuration(to: { port: number; upstreamPort: number; directory: string; pidFile: string }): string {
  return `
worker_processes 1;
pid ${to.pidFile};
error_log ${to.directory}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${to.directory}/body; proxy_temp_path ${to.directory}/proxy; fastcgi_temp_path ${to.directory}/fastcgi;
  uwsgi_temp_path ${to.directory}/uwsgi; scgi_temp_path ${to.directory}/scgi;
  keepalive_requests 1000000;
  upstream replica { server 127.0.0.1:${to.upstreamPort}; keepalive 1100; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${to.port};
    location / {
      proxy_pass http://replica;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffering off;
    }
  }
}
`;
}
