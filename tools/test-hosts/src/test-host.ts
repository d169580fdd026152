export interface TestHostOptions {
  readonly name: string;
  /** Runs a Docker Engine of its own on the host, with these images of the machine's engine loaded into it. */
  readonly dockerImages?: readonly string[];
  /** The user who logs in; `root` by default. Others get passwordless sudo unless `sudo` is false. */
  readonly user?: string;
  readonly sudo?: boolean;
}

/** A machine of its own as far as a server that comes in over SSH can tell. */
export interface TestHost {
  readonly name: string;
  /** On the test network. */
  readonly address: string;
  readonly user: string;
  /** File of the private key that may log in. */
  readonly identityFile: string;
  /** As root on the host; resolves with stdout, rejects on another exit code than 0. */
  run(command: string, stdin?: string): Promise<string>;
  /** Takes the cable out; connections hang, nothing is refused. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Kills everything that runs on it and starts its sshd (and Docker Engine) anew; files stay, but for /run. */
  reboot(): Promise<void>;
  /** With lines put before those of the sshd_config it has, which win over them; connections stay. */
  configureSshd(lines: readonly string[]): Promise<void>;
  replaceHostKey(): Promise<void>;
  /** Processes of the host whose command line contains the text, by the numbers they have there. */
  pids(text: string): Promise<number[]>;
  remove(): Promise<void>;
}

/** A network of this machine's own with an address for the server; hosts hang on it. */
export interface TestNetwork {
  /** What the server's side has on it. */
  readonly gateway: string;
  /** CIDR. */
  readonly network: string;
  host(options: TestHostOptions): Promise<TestHost>;
  /** With all of its hosts. */
  remove(): Promise<void>;
}
