import ssh2, { type IdentityCallback, type ParsedKey } from 'ssh2';

const LIMIT_MS = 10_000;

export interface SshPlace {
  readonly host: string;
  readonly port: number;
}

/** Has one key, and no private half of it: a server that asks for a signature would take the key. */
class Probe extends ssh2.BaseAgent<ParsedKey> {
  constructor(
    private readonly key: ParsedKey,
    private readonly onAsked: () => void,
  ) {
    super();
  }

  override getIdentities(give: IdentityCallback<ParsedKey>): void {
    give(null, [this.key]);
  }

  /** It is over by then: nothing is signed. */
  override sign(): void {
    this.onAsked();
  }
}

/** Whether the SSH server there would let the holder of the key in, asked as clients ask before they sign. */
export function letsIn({ host, port }: SshPlace, key: ParsedKey): Promise<boolean> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    const answer = (would: boolean): void => {
      resolve(would);
      client.destroy();
    };
    const probe = new Probe(key, () => {
      answer(true);
    });
    client.on('error', () => {
      answer(false);
    });
    client.on('close', () => {
      answer(false);
    });
    client.connect({
      host,
      port,
      username: 'root',
      readyTimeout: LIMIT_MS,
      agent: probe,
      authHandler: ['agent'],
    });
  });
}
