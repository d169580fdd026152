import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServerApp, type ServerApp, type ServerOverrides } from '../../src/create-server-app.js';
import { readSettings } from '../../src/settings/read-settings.js';
import type { ServerSettings } from '../../src/settings/settings.js';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
}

export interface TestServer extends ServerApp {
  readonly serverDir: string;
  call(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Reply>;
  post(path: string, body?: unknown, token?: string): Promise<Reply>;
}

export interface CallOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
}

/** A whole server on a fresh directory, spoken to through its real HTTP stack. */
export async function startTestServer(
  settings: Partial<ServerSettings> = {},
  overrides: ServerOverrides = {},
): Promise<TestServer> {
  const serverDir = settings.serverDir ?? mkdtempSync(join(tmpdir(), 'dstack-server-'));
  const server = await createServerApp(
    readSettings({}, { logLevel: 'CRITICAL', ...settings, serverDir }).settings,
    overrides,
  );
  const call = async (method: 'GET' | 'POST', path: string, options: CallOptions = {}): Promise<Reply> => {
    const token = options.token === undefined ? server.adminToken : options.token;
    const reply = await server.app.inject({
      method,
      url: path,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { payload: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    });
    return { status: reply.statusCode, body: parsed(reply.body), text: reply.body, headers: reply.headers };
  };
  return {
    ...server,
    serverDir,
    call,
    post: (path, body, token) => call('POST', path, { body, ...(token === undefined ? {} : { token }) }),
    close: async () => {
      await server.close();
      if (settings.serverDir === undefined) rmSync(serverDir, { recursive: true, force: true });
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
