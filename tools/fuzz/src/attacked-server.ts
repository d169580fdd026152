import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServerApp, readSettings, type ServerSettings } from '@dstack/server';
import { type HttpReply, HttpClient } from './http-request.js';

/** A whole server on a fresh directory behind a real socket of loopback. It reaches for nothing: no background work, no backends. */
export class AttackedServer {
  private constructor(
    readonly port: number,
    /** Of a global admin whom no request names, so that no request locks the attacker out. */
    readonly token: string,
    readonly http: HttpClient,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(settings: Partial<ServerSettings> = {}): Promise<AttackedServer> {
    const serverDir = mkdtempSync(join(tmpdir(), 'dstack-fuzz-'));
    const flags = {
      logLevel: 'CRITICAL',
      backgroundProcessing: false,
      localBackend: false,
      ...settings,
      serverDir,
    } as const;
    const server = await createServerApp(readSettings({}, flags).settings);
    await server.app.listen(0, '127.0.0.1');
    const { port } = server.app.getHttpServer().address() as AddressInfo; // a TCP server that listens has one
    const http = new HttpClient(port);
    const stop = async (): Promise<void> => {
      http.close();
      await server.close();
      rmSync(serverDir, { recursive: true, force: true });
    };
    const first = new AttackedServer(port, server.adminToken, http, stop);
    const token = await first.makeUser('zz-attacker', 'admin');
    return new AttackedServer(port, token, http, stop);
  }

  post(path: string, body: unknown, token = this.token): Promise<HttpReply> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return this.http.send({ method: 'POST', path, headers, body: JSON.stringify(body) });
  }

  /** @returns the token */
  async makeUser(username: string, role: 'admin' | 'user'): Promise<string> {
    await this.set('/api/users/create', { username, global_role: role });
    const { text } = await this.set('/api/users/get_user', { username });
    return (JSON.parse(text) as { creds: { token: string } }).creds.token;
  }

  /** A request that prepares the scene. @throws when it fails */
  async set(path: string, body: unknown): Promise<HttpReply> {
    const reply = await this.post(path, body);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply;
  }
}
