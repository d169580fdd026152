/** How to reach one sshd. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH or PEM private keys, tried in order. */
  readonly privateKeys: readonly string[];
  /** `<type> <base64>` as first seen; null on first use. */
  readonly pinnedHostKey: string | null;
  /** The host to go through, with keys and pin of its own. */
  readonly jump: SshTarget | null;
}
