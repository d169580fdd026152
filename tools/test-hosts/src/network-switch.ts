import { setTimeout as delay } from 'node:timers/promises';
import { freeSubnet } from './free-subnet.js';
import { HeldNamespaces } from './held-namespaces.js';
import { runProgram } from './run-program.js';

export interface Port {
  readonly address: string;
  plug(connected: boolean): Promise<void>;
  remove(): Promise<void>;
}

/**
 * A bridge in a network namespace of its own, with one cable to this machine and one to each host. Its own, because this machine's
 * firewall (Docker's drops what it does not know) would also rule over a bridge of this machine, and as the cables go with it.
 */
export class NetworkSwitch {
  private lastHost = 1;

  private constructor(
    private readonly namespaces: HeldNamespaces,
    private readonly cable: string,
    private readonly prefix: string,
  ) {}

  static async make(cable: string, start: number): Promise<NetworkSwitch> {
    const namespaces = await HeldNamespaces.make({
      argv: ['unshare', '--net', 'sh'],
      script: 'set -e; ip link add br0 type bridge; ip link set br0 up; echo ready; cat >/dev/null',
      args: [],
    });
    try {
      await runProgram([
        'ip',
        'link',
        'add',
        cable,
        'address',
        macOf('10.213.0.1'),
        'type',
        'veth',
        'peer',
        'name',
        'up0',
        'netns',
        String(namespaces.pid),
      ]);
      await namespaces.inNetwork('ip link set up0 master br0 up');
      const prefix = await takeSubnet(cable, start);
      return new NetworkSwitch(namespaces, cable, prefix);
    } catch (error) {
      await namespaces.release();
      throw error;
    }
  }

  get gateway(): string {
    return `${this.prefix}.1`;
  }

  get network(): string {
    return `${this.prefix}.0/24`;
  }

  /** Gives the network namespace of `pid` an `eth0` on this network. */
  async connect(host: HeldNamespaces): Promise<Port> {
    this.lastHost += 1;
    const port = `port${this.lastHost}`;
    const address = `${this.prefix}.${this.lastHost}`;
    const mac = macOf(address);
    await this.namespaces.inNetwork(
      `ip link add ${port} type veth peer name eth0 address ${mac} netns ${host.pid}; ip link set ${port} master br0 up`,
    );
    await host.inNetwork(
      `ip link set lo up; ip addr add ${address}/24 dev eth0; ip link set eth0 up; ` +
        `ip neigh replace ${this.gateway} lladdr ${macOf('10.213.0.1')} dev eth0 nud permanent`,
    );
    // Known for good: behind a router it also is no answer, not "no route to host", that tells of a host without a cable.
    await runProgram(['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', this.cable, 'nud', 'permanent']);
    return {
      address,
      plug: async (connected) => {
        await this.namespaces.inNetwork(`ip link set ${port} ${connected ? 'up' : 'down'}`);
      },
      remove: async () => {
        await this.namespaces.inNetwork(`ip link del ${port} 2>/dev/null || :`);
        await runProgram(['sh', '-c', `ip neigh del ${address} dev ${this.cable} 2>/dev/null || :`]);
      },
    };
  }

  async remove(): Promise<void> {
    await runProgram(['sh', '-c', `ip link del ${this.cable} 2>/dev/null || :`]);
    await this.namespaces.release();
  }
}

/** Two test runs may choose the same network at the same moment: the cable made later gives way. */
async function takeSubnet(cable: string, start: number): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const used = await runProgram(['sh', '-c', "ip -4 route show table all | awk '{ print $1; print $2 }'"]);
    const prefix = freeSubnet(used.split('\n'), start + attempt * 37);
    await runProgram(['sh', '-ec', `ip addr add ${prefix}.1/24 dev ${cable}; ip link set ${cable} up`]);
    const owners = (await runProgram(['ip', '-o', '-4', 'addr', 'show', 'to', `${prefix}.0/24`])).trim().split('\n');
    if (owners[0]?.includes(` ${cable} `)) return prefix;
    await runProgram(['ip', 'addr', 'flush', 'dev', cable]);
    await delay(10 + (start % 50));
  }
  throw new Error('no network could be had for the test hosts');
}

function macOf(address: string): string {
  const numbers = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:64:${numbers.join(':')}`;
}
