import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import ssh2 from 'ssh2';

const CONNECT_LIMIT_MS = 30_000;
/** As OpenSSH: a failure of its own, never the remote command's. */
const OWN_FAILURE = 255;

interface Destination {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly keyFile: string;
  readonly command: string;
}

/**
 * The little of an ssh client that git needs, for images with git and without ssh. Host keys are not verified, as the repo's host was
 * never met before.
 */
export function runGitSsh(argv: readonly string[]): Promise<number> {
  const { user: username, host, port, keyFile, command } = parseDestination(argv);
  const client = new ssh2.Client();
  return new Promise<number>((resolve) => {
    const fail = (error: Error): void => {
      process.stderr.write(`ssh to ${username}@${host}: ${error.message}\n`);
      resolve(OWN_FAILURE);
    };
    client.on('error', fail);
    client.on('close', () => {
      fail(new Error('the connection was closed'));
    });
    client.on('ready', () => {
      client.exec(command, (error, channel) => {
        if (error) {
          fail(error);
          return;
        }
        process.stdin.pipe(channel).pipe(process.stdout);
        channel.stderr.pipe(process.stderr);
        channel.on('close', (status: number | null) => {
          // What was written must have left before the process ends.
          process.stdout.end(() => {
            resolve(status ?? OWN_FAILURE);
          });
        });
      });
    });
    client.connect({ host, port, username, privateKey: readFileSync(keyFile), readyTimeout: CONNECT_LIMIT_MS });
  });
}

/** What git calls an ssh with, and the key that was put before it. @throws {RangeError} */
export function parseDestination(argv: readonly string[]): Destination {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      key: { type: 'string', short: 'i' },
      port: { type: 'string', short: 'p', default: '22' },
      // Said to every ssh; nothing here depends on them.
      option: { type: 'string', short: 'o', multiple: true },
      config: { type: 'string', short: 'F' },
      ipv4: { type: 'boolean', short: '4' },
      ipv6: { type: 'boolean', short: '6' },
    },
  });
  const [destination = '', ...command] = positionals;
  const at = destination.lastIndexOf('@');
  const host = destination.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || command.length === 0) throw new RangeError('git-ssh [-p PORT] -i KEY [USER@]HOST COMMAND');
  if (values.key === undefined) throw new RangeError(`no key was given for ${host}`);
  const user = at > 0 ? destination.slice(0, at) : 'git';
  return { user, host, port: Number(values.port), keyFile: values.key, command: command.join(' ') };
}
