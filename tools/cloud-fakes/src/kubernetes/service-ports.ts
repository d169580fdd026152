import { connect, createServer, type Server } from 'node:net';
import type { Created, Objects, Stored } from './objects.js';
import { Refusal } from './refusal.js';

const FIRST = 30_000;
const LAST = 32_767;

interface Port {
  readonly port: number;
  readonly targetPort?: number;
  nodePort?: number;
}

/** Ports of nodes: given out, and if wanted opened at an address of this machine, as a node that forwards. */
export class ServicePorts {
  private readonly taken = new Set<number>();
  private readonly open = new Map<string, Server[]>();
  private next = FIRST + Math.floor(Math.random() * 2_000);

  constructor(
    private readonly objects: Objects,
    private readonly address: string | null,
  ) {}

  allocate(service: Created): void {
    if (service.spec?.['type'] !== 'NodePort' && service.spec?.['type'] !== 'LoadBalancer') return;
    for (const port of portsOf(service)) {
      const wanted = port.nodePort;
      if (wanted !== undefined && (wanted < FIRST || wanted > LAST))
        throw invalid(service, wanted, `The range of valid ports is ${FIRST}-${LAST}`);
      if (wanted !== undefined && this.taken.has(wanted)) throw invalid(service, wanted, 'provided port is already allocated'); // prettier-ignore
      port.nodePort = wanted ?? this.free();
      this.taken.add(port.nodePort);
    }
  }

  created(service: Stored): void {
    const { address } = this;
    if (address === null) return;
    const servers = portsOf(service).flatMap((port) => {
      if (port.nodePort === undefined) return [];
      const server = createServer((socket) => {
        const ip = this.backendOf(service);
        if (ip === undefined) return void socket.destroy();
        const target = connect({ host: ip, port: port.targetPort ?? port.port });
        for (const [from, to] of [[socket, target], [target, socket]] as const) from.on('error', () => to.destroy()); // prettier-ignore
        socket.pipe(target).pipe(socket);
      });
      return [server.listen(port.nodePort, address).on('error', () => undefined)];
    });
    this.open.set(service.metadata.uid, servers);
  }

  /** What the cloud of the cluster does for a service of type LoadBalancer: the address of its pod is one that this machine reaches. */
  balance(service: Stored): void {
    const ip = service.spec?.['type'] === 'LoadBalancer' ? this.backendOf(service) : undefined;
    service.status = { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } };
  }

  release(service: Created | Stored): void {
    for (const { nodePort } of portsOf(service)) if (nodePort !== undefined) this.taken.delete(nodePort);
    const { uid } = service.metadata as Partial<Stored['metadata']>;
    for (const server of this.open.get(uid ?? '') ?? []) server.close();
    this.open.delete(uid ?? '');
  }

  async close(): Promise<void> {
    for (const server of [...this.open.values()].flat()) server.close();
  }

  private free(): number {
    while (this.taken.has(this.next)) this.next += 1;
    return this.next;
  }

  private backendOf({ spec, metadata }: Stored): string | undefined {
    const selector = Object.entries((spec?.['selector'] ?? {}) as Record<string, string>);
    const pods = this.objects.list('pods', metadata.namespace ?? '');
    const pod = pods.find((one) => selector.every(([key, value]) => one.metadata.labels?.[key] === value));
    return pod?.status?.['podIP'] as string | undefined;
  }
}

function portsOf({ spec }: { readonly spec?: Record<string, unknown> }): Port[] {
  return (spec?.['ports'] ?? []) as Port[];
}

function invalid(service: Created, port: number, why: string): Refusal {
  const message = `Service "${service.metadata.name}" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: ${why}`;
  return new Refusal(422, 'Invalid', message);
}
