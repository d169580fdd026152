import { mkdir, readFile } from 'node:fs/promises';
import { ADD_USER, BOOT, joinCgroup, MAKE_ROOT, START_DOCKER } from './host-scripts.js';
import { HeldNamespaces } from './held-namespaces.js';
import type { NetworkSwitch, Port } from './network-switch.js';
import { removeCgroups } from './remove-cgroups.js';
import { ENVIRONMENT, runProgram } from './run-program.js';
import type { TestHost, TestHostOptions } from './test-host.js';

export interface HostPlace {
  readonly network: NetworkSwitch;
  /** Empty; seen by this host alone once its files are mounted on it. */
  readonly directory: string;
  readonly identityFile: string;
  /** Below the root of every cgroup hierarchy. */
  readonly cgroup: string;
}

/** The files and the network of a host live as long as `files`; what runs on it as long as `boot`. */
export class NamespaceHost implements TestHost {
  readonly name: string;
  readonly user: string;
  readonly identityFile: string;

  private constructor(
    private readonly options: TestHostOptions,
    private readonly place: HostPlace,
    private readonly files: HeldNamespaces,
    private readonly port: Port,
    private boot: HeldNamespaces,
  ) {
    this.name = options.name;
    this.user = options.user ?? 'root';
    this.identityFile = place.identityFile;
  }

  static async make(options: TestHostOptions, place: HostPlace): Promise<NamespaceHost> {
    await mkdir(place.directory);
    const files = await HeldNamespaces.make({
      argv: ['unshare', '--mount', '--net', '--uts', '--propagation', 'private', 'sh'],
      script: MAKE_ROOT,
      args: [place.directory, options.name],
    });
    try {
      const port = await place.network.connect(files);
      const host = new NamespaceHost(options, place, files, port, await start(files, place.cgroup));
      const key = (await readFile(`${place.identityFile}.pub`, 'utf8')).trim();
      await host.script(ADD_USER, [host.user, key, options.sudo === false ? 'no' : 'yes']);
      await host.startDocker();
      await host.loadImages();
      return host;
    } catch (error) {
      await files.release();
      throw error;
    }
  }

  get address(): string {
    return this.port.address;
  }

  async run(command: string, stdin = ''): Promise<string> {
    return await runProgram([...(await this.enter()), 'sh', '-c', command], stdin);
  }

  cut(): Promise<void> {
    return this.port.plug(false);
  }

  mend(): Promise<void> {
    return this.port.plug(true);
  }

  async reboot(): Promise<void> {
    await this.boot.release();
    this.boot = await start(this.files, this.place.cgroup);
    await this.startDocker();
  }

  async configureSshd(lines: readonly string[]): Promise<void> {
    await this.run(
      'cat - /etc/ssh/sshd_config > /etc/ssh/new && mv /etc/ssh/new /etc/ssh/sshd_config',
      `${lines.join('\n')}\n`,
    );
    await this.restartSshd();
  }

  async replaceHostKey(): Promise<void> {
    await this.run('cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key');
    await this.restartSshd();
  }

  async pids(text: string): Promise<number[]> {
    const table = await this.run(
      'for each in /proc/[0-9]*; do echo "${each#/proc/} $(tr "\\0\\n" "  " < "$each/cmdline" 2>/dev/null)"; done',
    );
    return table
      .split('\n')
      .filter((line) => line.slice(line.indexOf(' ')).includes(text))
      .map((line) => Number.parseInt(line, 10));
  }

  async remove(): Promise<void> {
    await this.boot.release();
    await this.port.remove();
    await this.files.release();
    await removeCgroups(this.place.cgroup);
  }

  private async startDocker(): Promise<void> {
    if (this.options.dockerImages !== undefined) await this.script(START_DOCKER, [this.place.cgroup]);
  }

  private async loadImages(): Promise<void> {
    const images = this.options.dockerImages ?? [];
    if (images.length === 0) return;
    const save = `docker save ${images.join(' ')}`;
    await runProgram(['sh', '-c', `${save} | "$@" docker load`, 'sh', ...(await this.enter())]);
  }

  /** The listening one alone: a restarted sshd leaves the connections that there are. */
  private async restartSshd(): Promise<void> {
    await this.run(`
      kill "$(cat /run/sshd.pid)"
      while [ -e /run/sshd.pid ]; do sleep 0.02; done
      /usr/sbin/sshd && until [ -e /run/sshd.pid ]; do sleep 0.02; done
    `);
  }

  private async script(script: string, args: readonly string[]): Promise<string> {
    return await runProgram([...(await this.enter()), 'sh', '-c', script, 'sh', ...args]);
  }

  private async enter(): Promise<string[]> {
    const init = await firstProcess(this.boot.pid);
    const path = `PATH=${ENVIRONMENT.PATH}`;
    const join = `${joinCgroup(this.place.cgroup)}; exec "$@"`;
    return [
      ...['nsenter', `--target=${init}`, '--mount', '--net', '--uts', '--ipc', '--pid', 'env', path],
      ...['sh', '-c', join, 'sh'],
    ];
  }
}

async function start(files: HeldNamespaces, cgroup: string): Promise<HeldNamespaces> {
  return await HeldNamespaces.make({
    argv: [
      ...['nsenter', `--target=${files.pid}`, '--mount', '--net', '--uts'],
      ...['unshare', '--mount', '--ipc', '--pid', '--fork', '--kill-child', 'sh'],
    ],
    script: BOOT,
    args: [cgroup],
  });
}

/** Of the pid namespace that `unshare` made; its number here. */
async function firstProcess(unshare: number): Promise<number> {
  const children = await readFile(`/proc/${unshare}/task/${unshare}/children`, 'utf8').catch(() => '');
  const first = Number.parseInt(children, 10);
  if (Number.isNaN(first)) throw new Error('the host does not run');
  return first;
}
