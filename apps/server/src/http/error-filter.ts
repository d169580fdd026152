import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorReply } from './error-reply.js';

@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly log = new Logger('HTTP');

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const known = errorReply(error);
    if (known === undefined || known.isOurs)
      this.log.error(`${request.method} ${request.routeOptions.url ?? ''} failed (request ${request.id})`, error);
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    const { status, headers = {}, body } = known ?? { status: 500, body: 'Internal Server Error' };
    void reply.status(status).headers(headers).send(body);
  }
}
