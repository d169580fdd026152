import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Wire } from '@dstack/core';
import ssh2, { type AuthContext, type ClientChannel, type Connection, type ServerChannel, type Session } from 'ssh2';

const { Client, Server, utils } = ssh2;

interface Options {
  readonly port: number;
  readonly token: string;
  /** Of the server that knows the jobs. */
  readonly serverUrl: () => string;
}

/**
 * In the place of an SSH proxy in front of a server: whoever comes as `JOB_ID` with a key that the server names is led over the hops that it names,
 * with their keys.
 */
export class SshProxy {
  /** Ids of jobs that were asked for. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: InstanceType<typeof Server>,
    private readonly options: Options,
  ) {}

  static async start(options: Options): Promise<SshProxy> {
    const { private: hostKey } = utils.generateKeyPairSync('ed25519');
    const server = new Server({ hostKeys: [hostKey] });
    const proxy = new SshProxy(server, options);
    server.on('connection', (client) => proxy.receive(client));
    server.listen(options.port, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // it listens on TCP
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** What the server says of a job. @throws {Error} when it says nothing */
  async upstream(id: string): Promise<Wire.GetUpstreamResponse> {
    const reply = await fetch(`${this.options.serverUrl()}/api/sshproxy/get_upstream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.options.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
    });
    if (!reply.ok) throw new Error(`the server answers ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as Wire.GetUpstreamResponse;
  }

  private receive(client: Connection): void {
    let job: InstanceType<typeof Client> | undefined;
    client.on('error', () => undefined); // people hang up
    client.on('close', () => job?.end());
    client.on('authentication', (context) => {
      this.lead(context)
        .then((led) => {
          if (led === 'refused') return context.reject(['publickey']);
          job = led ?? job;
          job?.on('close', () => client.end());
          context.accept();
        })
        .catch(() => context.reject());
    });
    client.on('session', (accept) => {
      if (job !== undefined) serveSession(accept(), job);
    });
    client.on('tcpip', (accept, reject, { srcIP, srcPort, destIP, destPort }) => {
      job?.forwardOut(srcIP, srcPort, destIP, destPort, (error, far) => {
        if (error) return reject();
        const near = accept();
        near.pipe(far).pipe(near);
      });
    });
  }

  /** Undefined: the key would do, and is to be proven. */
  private async lead(context: AuthContext): Promise<InstanceType<typeof Client> | 'refused' | undefined> {
    if (context.method !== 'publickey') return 'refused';
    this.asked.push(context.username);
    const { hosts, authorized_keys: keys } = await this.upstream(context.username);
    const known = keys.map((key) => utils.parseKey(key)).find((key) => !(key instanceof Error) && key.getPublicSSH().equals(context.key.data)); // prettier-ignore
    if (known === undefined || known instanceof Error) return 'refused';
    if (context.signature === undefined || context.blob === undefined) return undefined;
    if (known.verify(context.blob, context.signature, context.hashAlgo) !== true) return 'refused';
    return reach(hosts);
  }
}

/** Each through the one before. */
async function reach(hosts: readonly Wire.UpstreamHost[]): Promise<InstanceType<typeof Client>> {
  let reached: InstanceType<typeof Client> | undefined;
  for (const { host, port, user, private_key: privateKey } of hosts) {
    const before: InstanceType<typeof Client> | undefined = reached;
    const sock =
      before === undefined
        ? undefined
        : await new Promise<ClientChannel>((resolve, reject) => {
            before.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
              error ? reject(error) : resolve(channel),
            );
          });
    const client = new Client();
    client.connect({ host, port, username: user, privateKey, ...(sock === undefined ? {} : { sock }) });
    await once(client, 'ready'); // rejects when it fails
    client.on('error', () => client.end());
    client.on('close', () => before?.end());
    reached = client;
  }
  if (reached === undefined) throw new Error('the server names no host');
  return reached;
}

function serveSession(session: Session, job: InstanceType<typeof Client>): void {
  const serve = (
    begin: (done: (error: Error | undefined, far: ClientChannel) => void) => void,
    accept: () => ServerChannel,
    reject: () => void,
  ): void =>
    begin((error, far) => {
      if (error) return reject();
      const near = accept();
      near.pipe(far).pipe(near);
      far.stderr.pipe(near.stderr);
      far.on('exit', (code: number | null) => near.exit(code ?? 255));
      far.on('close', () => near.end());
    });
  session.on('env', (accept) => accept?.());
  session.on('exec', (accept, reject, { command }) => serve((done) => job.exec(command, done), accept, reject));
  session.on('sftp', (accept, reject) => serve((done) => job.subsys('sftp', done), accept as unknown as () => ServerChannel, reject)); // prettier-ignore
}
