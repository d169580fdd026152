import * as http from 'node:http';
import * as https from 'node:https';
import { Agent, type AgentConnectOpts } from 'agent-base';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { proxyOf } from './proxy-of.js';

/** Sends each request the way the environment says: directly, or through the proxy of its URL. */
class EnvironmentAgent extends Agent {
  private readonly direct: { readonly http: http.Agent; readonly https: https.Agent };
  private readonly proxied = new Map<string, http.Agent>();

  constructor(private readonly given: https.AgentOptions) {
    super(given);
    this.direct = { http: new http.Agent(given), https: new https.Agent(given) };
  }

  connect(request: http.ClientRequest, { secureEndpoint, host = request.host, port }: AgentConnectOpts): http.Agent {
    const scheme = secureEndpoint ? 'https' : 'http';
    const proxy = proxyOf(new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`));
    return proxy === null ? this.direct[scheme] : this.through(proxy, secureEndpoint);
  }

  override destroy(): void {
    this.direct.http.destroy();
    this.direct.https.destroy();
    for (const agent of this.proxied.values()) agent.destroy();
    super.destroy();
  }

  private through(proxy: string, isSecure: boolean): http.Agent {
    const key = `${isSecure ? 'tunnel' : 'relay'} ${proxy}`;
    const known = this.proxied.get(key);
    if (known !== undefined) return known;
    const made = isSecure
      ? new HttpsProxyAgent(proxy, this.given)
      : // On a connection that is kept it does not tell the proxy the next request's host.
        new HttpProxyAgent(proxy, { ...this.given, keepAlive: false });
    this.proxied.set(key, made);
    return made;
  }
}

/** One agent for both schemes; a connection is kept for the next request. Options of TLS are those of the cloud, not of the proxy. */
export function environmentAgent(options: https.AgentOptions = {}): https.Agent {
  return new EnvironmentAgent({ keepAlive: true, ...options }); // it answers for both
}
