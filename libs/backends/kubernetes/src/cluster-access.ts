import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { isAbsolute, resolve } from 'node:path';
import { BackendError } from '@dstack/backend-base';
import { environmentAgent } from '@dstack/backend-base/proxy';
import { askPlugin, type PluginCredential } from './exec-plugin.js';
import type { KubeContext } from './kubeconfig.js';

export interface Connection {
  readonly headers: Readonly<Record<string, string>>;
  readonly httpsAgent: Agent;
}

/** Tokens in files are renewed by whoever wrote them. */
const FILE_KEPT_MS = 60_000;
const BEFORE_EXPIRY_MS = 60_000;
/** A plugin that tells no end is asked again when the server starts. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How one cluster is spoken to: whom to trust, and who we are, renewed as it expires. */
export class ClusterAccess {
  private current: { readonly until: number; readonly connection: Promise<Connection> } | undefined;
  private readonly agents: Agent[] = [];

  constructor(
    private readonly context: KubeContext,
    /** What relative files of the kubeconfig are relative to. */
    private readonly directory: string,
    private readonly now: () => number,
  ) {}

  /** What must never be shown. */
  get secrets(): readonly string[] {
    const { token, password } = this.context.user;
    return [token, password, this.context.user['client-key-data']].flatMap((text) => text ?? []);
  }

  connection(signal: AbortSignal): Promise<Connection> {
    if (this.current !== undefined && this.current.until > this.now()) return this.current.connection;
    const made = this.make(signal);
    const connection = made.then(({ connection: ready }) => ready);
    this.current = { until: NEVER, connection };
    made.then(
      ({ until }) => (this.current = { until, connection }),
      () => (this.current = undefined),
    );
    return connection;
  }

  close(): void {
    for (const agent of this.agents) agent.destroy();
  }

  private async make(signal: AbortSignal): Promise<{ connection: Connection; until: number }> {
    const { user, cluster } = this.context;
    const plugin: PluginCredential = user.exec === undefined ? {} : await askPlugin(user.exec, this.context, signal);
    const token = plugin.token ?? user.token ?? (await this.file(user.tokenFile))?.toString().trim();
    const httpsAgent = environmentAgent({
      maxSockets: 16,
      ca: await this.dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
      cert:
        plugin.clientCertificateData ??
        (await this.dataOrFile(user['client-certificate-data'], user['client-certificate'])),
      key: plugin.clientKeyData ?? (await this.dataOrFile(user['client-key-data'], user['client-key'])),
      servername: cluster['tls-server-name'],
      rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
    });
    // The one before may still have a request under way.
    for (const old of this.agents.splice(0, Math.max(0, this.agents.length - 1))) old.destroy();
    this.agents.push(httpsAgent);
    const headers = { ...authorization(token, user) };
    const expiry =
      plugin.expirationTimestamp === undefined ? NEVER : Date.parse(plugin.expirationTimestamp) - BEFORE_EXPIRY_MS;
    const until = user.tokenFile === undefined ? expiry : this.now() + FILE_KEPT_MS;
    return { connection: { headers, httpsAgent }, until };
  }

  private async dataOrFile(data: string | undefined, path: string | undefined): Promise<Buffer | undefined> {
    return data === undefined ? this.file(path) : Buffer.from(data, 'base64');
  }

  private async file(path: string | undefined): Promise<Buffer | undefined> {
    if (path === undefined) return undefined;
    const absolute = isAbsolute(path) ? path : resolve(this.directory, path);
    return readFile(absolute).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new BackendError(
        { kind: 'credentials', blocks: 'region' },
        `a file that the kubeconfig names cannot be read: ${why}`,
      );
    });
  }
}

function authorization(token: string | undefined, { username, password }: KubeContext['user']): Record<string, string> {
  if (token !== undefined && token !== '') return { authorization: `Bearer ${token}` };
  if (username === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}
