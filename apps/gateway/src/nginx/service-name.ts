import { createHash } from 'node:crypto';

/** What a service is called in names of files and in nginx's configuration, which have little room. */
export function serviceName(serviceId: string): string {
  return `s${createHash('sha256').update(serviceId).digest('hex').slice(0, 16)}`;
}
