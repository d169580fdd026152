export interface GatewaySettings {
  /** Everything of this gateway: state, certificates, sockets, nginx's files. */
  readonly dir: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Addresses to listen at; IPv6 ones in brackets. */
  readonly addresses: readonly string[];
  /** nginx's program. */
  readonly nginx: string;
  /** OpenSSH's client. */
  readonly ssh: string;
  /** Number of the user who may open the control socket, beside root; null: nobody. */
  readonly socketUser: number | null;
  /** DNS servers that are asked whether a name leads anywhere; empty: as the machine does. */
  readonly dns: readonly string[];
}

/** With the names of sockets after it, it has to fit the kernel's limit of 107 bytes. */
export const LONGEST_DIR = 70;
