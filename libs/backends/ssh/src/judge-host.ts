import { hostPaths } from './host-paths.js';
import type { HostProblem } from './host-problem.js';
import type { ProbedHost } from './probed-host.js';

/** All of them last until somebody changes the host. */
export interface HostVerdict {
  readonly problem: HostProblem;
  readonly message: string;
}

export interface JudgedFor {
  /** For messages: the host as the user wrote it. */
  readonly hostname: string;
  readonly owner: string;
  /** Unix milliseconds, when the host was looked at. */
  readonly now: number;
}

const LARGEST_CLOCK_ERROR_MS = 5 * 60_000;
const DATA_KIB = 256 * 1024;

/** What makes the host one that can run no jobs for this installation, or only badly; null when nothing does. */
export function judgeHost(host: ProbedHost, { hostname, owner, now }: JudgedFor): HostVerdict | null {
  const verdict = (problem: HostProblem, text: string): HostVerdict => ({ problem, message: `${hostname}: ${text}` });
  if (host.kernel !== 'Linux')
    return verdict('not-linux', `it runs ${host.kernel || 'an unknown system'}; only Linux hosts can run jobs`);
  if (architectureOf(host.machine) === undefined)
    return verdict(
      'unsupported-architecture',
      `its processor is of the kind ${host.machine}; there are agents for x86_64 and aarch64 only`,
    );
  if (host.noSudo !== null)
    return verdict(
      'no-sudo',
      `${host.user} is not root and cannot become root without a password (${firstLine(host.noSudo)}). ` +
        `Put the line '${host.user} ALL=(ALL) NOPASSWD:ALL' into /etc/sudoers.d/dstack on the host, or log in as root`,
    );
  const stranger = strangerOn(host, owner);
  if (stranger !== null) return verdict('owned-by-another-server', stranger);
  const gpus = gpuProblem(host);
  if (gpus !== null) return verdict(gpus.problem, gpus.message);
  if (host.now !== null && Math.abs(host.now - now) > LARGEST_CLOCK_ERROR_MS)
    return verdict(
      'clock-off',
      `its clock is wrong: it says ${iso(host.now)}, the server's says ${iso(now)}. ` +
        'Set it, best for good (timedatectl set-ntp true)',
    );
  if (host.dataFreeKib !== null && host.dataFreeKib < DATA_KIB)
    return verdict('disk-full', lackOfSpace(hostPaths(owner).state, host.dataFreeKib, DATA_KIB));
  return null;
}

export function architectureOf(machine: string): 'x86' | 'arm' | undefined {
  if (machine === 'x86_64' || machine === 'amd64') return 'x86';
  if (machine === 'aarch64' || machine === 'arm64') return 'arm';
  return undefined;
}

export function lackOfSpace(place: string, freeKib: number, neededKib: number): string {
  return `the disk is full: ${mib(freeKib)} MiB are free for ${place}, and ${mib(neededKib)} MiB are needed. Free some space there`;
}

function strangerOn(host: ProbedHost, owner: string): string | null {
  const other = host.installations.find((installation) => installation.owner !== owner);
  if (other !== undefined) {
    const { uninstaller } = hostPaths(other.directory);
    return (
      `another dstack server has its agent on it (installation ${other.owner}). Remove the host from that server's fleet or, if that ` +
      `server is no more, run on the host: sudo sh ${uninstaller}`
    );
  }
  if (host.shim)
    return (
      'the agent of a dstack server of another make (dstack-shim) runs on it. Remove the host from that server, ' +
      'then run on the host: sudo systemctl disable --now dstack-shim'
    );
  return null;
}

function gpuProblem(host: ProbedHost): HostVerdict | null {
  const vendors = [...new Set(host.gpuVendors)];
  if (vendors.length > 1)
    return {
      problem: 'mixed-gpus',
      message: `it has accelerators of several vendors (${vendors.join(', ')}), and jobs could not be told which they get. Unload the driver of all but one`,
    };
  if (vendors[0] === 'nvidia' && host.nvidiaSmi !== null)
    return {
      problem: 'gpu-driver',
      message: `it has an NVIDIA GPU whose driver does not work: ${host.nvidiaSmi}. Install the driver (or restart the host after an update of it), then check with nvidia-smi`,
    };
  return null;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) ?? '';
}

function iso(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

function mib(kib: number): number {
  return Math.floor(kib / 1024);
}
