import { environmentAgent } from '@dstack/backend-base/proxy';

/** Of one client, which destroys them: AWS's library knows nothing of proxies. As many sockets as it would open by itself. */
export function agents() {
  const agent = environmentAgent({ maxSockets: 50 });
  return { httpAgent: agent, httpsAgent: agent };
}
