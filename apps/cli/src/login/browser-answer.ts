import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BrowserAnswer {
  readonly code: string;
  readonly state: string;
}

/** What the provider says instead of a code: `access_denied` when the person does not agree. */
export class SignInRefusedError extends Error {
  override readonly name = 'SignInRefusedError';
}

/** Waits on this machine, and on nothing but its loopback address, for what the browser brings back. */
export class BrowserAnswers {
  private constructor(
    readonly port: number,
    private readonly http: Server,
  ) {}

  static async listen(): Promise<BrowserAnswers> {
    const http = createServer();
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(0, '127.0.0.1', resolve);
    });
    return new BrowserAnswers((http.address() as AddressInfo).port, http);
  }

  /**
   * An answer to what somebody else began is not taken.
   * @throws {SignInRefusedError} when the provider let nobody in; the reason of the signal when it comes first
   */
  next(state: string, signal?: AbortSignal): Promise<BrowserAnswer> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.http.on('request', (request, response) => {
        const searchParams = new URLSearchParams(request.url?.split('?')[1]);
        const [code, error] = [searchParams.get('code'), searchParams.get('error')];
        if (searchParams.get('state') !== state || (code === null && error === null)) {
          say(response, 400, 'This is no answer to the sign-in that is under way.');
          return;
        }
        if (code === null) {
          say(response, 200, 'You are not signed in. Go back to the terminal.');
          reject(new SignInRefusedError(plain(error ?? '')));
          return;
        }
        say(response, 200, 'You are signed in. Go back to the terminal.');
        resolve({ code, state });
      });
    });
  }

  close(): Promise<void> {
    this.http.closeIdleConnections();
    return new Promise((resolve) => this.http.close(() => resolve()));
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
}

/** It ends in a terminal. */
function plain(text: string): string {
  return text.replace(/[^\w .:/-]/g, '?').slice(0, 100);
}
