/** What the probe has found on a host. */
export interface ProbedHost {
  readonly kernel: string;
  readonly machine: string;
  readonly uid: number;
  readonly user: string;
  /** Why the user cannot become root; what follows is unknown then. */
  readonly noSudo: string | null;
  readonly systemd: boolean;
  /** Null where `df` does not tell. */
  readonly agentFreeKib: number | null;
  readonly dataFreeKib: number | null;
  readonly installations: readonly { readonly directory: string; readonly owner: string }[];
  /** The host agent of Python dstack runs. */
  readonly shim: boolean;
  readonly gpuVendors: readonly string[];
  /** Why NVIDIA's driver does not answer; null when it does. */
  readonly nvidiaSmi: string | null;
  /** Names of the agents' folders that are complete. */
  readonly folders: readonly string[];
  readonly current: string;
  readonly unitMark: string;
  readonly loopMark: string;
  readonly envMark: string;
  /** That the agent was put there for; empty: none was, or by an older server. */
  readonly instance: string;
  readonly listening: boolean;
  /** Unix milliseconds by the host's clock, at the end of the probe. */
  readonly now: number | null;
}

/** Of `key=value` lines; what is missing is as on a bare host. */
export function parseProbe(text: string): ProbedHost {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at < 0) continue;
    const key = line.slice(0, at);
    values.set(key, [...(values.get(key) ?? []), line.slice(at + 1).trim()]);
  }
  const all = (key: string): string[] => values.get(key) ?? [];
  const one = (key: string): string => all(key)[0] ?? '';
  const whole = (key: string): number | null => (/^\d+$/.test(one(key)) ? Number(one(key)) : null);
  const seconds = whole('now');
  return {
    kernel: one('kernel'),
    machine: one('machine'),
    uid: whole('uid') ?? -1,
    user: one('user'),
    noSudo: all('no_sudo')[0] ?? null,
    systemd: one('systemd') === 'yes',
    agentFreeKib: whole('agent_free_kib'),
    dataFreeKib: whole('data_free_kib'),
    installations: all('installation').flatMap(parseInstallation),
    shim: one('shim') === 'yes',
    gpuVendors: all('gpu'),
    nvidiaSmi: all('nvidia_smi')[0] ?? null,
    folders: all('folder'),
    current: one('current'),
    unitMark: one('unit_mark'),
    loopMark: one('loop_mark'),
    envMark: one('env_mark'),
    instance: one('instance'),
    listening: one('listening') === 'yes',
    now: seconds === null ? null : seconds * 1000,
  };
}

function parseInstallation(value: string): { directory: string; owner: string }[] {
  const [directory = '', owner = ''] = value.split(' ');
  return /^[A-Za-z0-9]{8}$/.test(directory) ? [{ directory, owner }] : [];
}
