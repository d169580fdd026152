import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** The way to this server's own API, as its clients go it. */
export abstract class OwnApi {
  abstract connect(): Promise<Duplex>;
}

@Injectable()
export class ListeningApi extends OwnApi {
  constructor(@Inject(HttpAdapterHost) private readonly http: HttpAdapterHost) {
    super();
  }

  connect(): Promise<Duplex> {
    // Nest types it as anything; ours is Node's.
    const server = this.http.httpAdapter.getHttpServer() as Server;
    const address = server.address();
    if (address === null || typeof address === 'string') return Promise.reject(new Error('the server does not listen'));
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: reachable(address.address),
        port: address.port,
        noDelay: true,
        allowHalfOpen: true,
      });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
  }
}

/** "All addresses" is none to connect to. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
