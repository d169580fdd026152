import { setTimeout as sleep } from 'node:timers/promises';
import * as Flags from '@oclif/core/flags';
import { Dstack, type Wire } from '@dstack/sdk';
import { BaseCommand } from '../base/base-command.js';
import { changeClientConfig, readClientConfig } from '../client-config/client-config-file.js';
import { CliError, UsageError } from '../errors/cli-error.js';
import { BrowserAnswers, SignInRefusedError } from '../login/browser-answer.js';
import { chooseDefault, withChosenDefault, withLogin } from '../login/logged-in-config.js';
import { openBrowser } from '../login/open-browser.js';
import { ask } from '../terminal/prompt.js';
import { slowServerNote } from '../terminal/slow-server-note.js';

/** As long as the server remembers that a sign-in was begun. */
const BROWSER_LIMIT_MS = 10 * 60_000;

export default class Login extends BaseCommand {
  static override summary = 'Sign in to a server, and add your projects there';
  static override examples = ['dstack login --url https://dstack.example.org', 'dstack login --url URL --device'];
  static override flags = {
    url: Flags.string({ summary: 'The address of the server' }),
    provider: Flags.string({ char: 'p', summary: 'The sign-in provider' }),
    device: Flags.boolean({ summary: 'Sign in with a browser on another machine' }),
    yes: Flags.boolean({ char: 'y', summary: 'Make the first project the default', exclusive: ['no'] }),
    no: Flags.boolean({ char: 'n', summary: 'Leave the default project as it is' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Login);
    const { home, style, canAsk } = this.context;
    const url = (flags.url ?? (await ask(this.context, 'URL of the server? ', 'Pass --url URL.'))).replace(/\/+$/, '');
    const client = this.clientOf(url, '');
    const provider = await this.provider(client, flags.provider);
    const user = flags.device ? await this.byDevice(client, provider) : await this.byBrowser(client, provider);
    const { token } = user.creds;
    const joined = await this.clientOf(url, token).projects.listJoined();
    const projects = joined.map((project) => project.project_name);
    const before = await readClientConfig(home);
    const config = withLogin(before, { url, token, projects });
    const choice = chooseDefault(config, projects, { yes: flags.yes, no: flags.no, canAsk });
    const chosen = choice === 'ask' ? { name: await this.ask(projects) } : choice;
    await changeClientConfig(home, (now) => {
      const joint = withLogin(now, { url, token, projects });
      return chosen === 'keep' ? joint : withChosenDefault(joint, chosen);
    });
    this.print(style.success(`Logged in as ${user.username}.`));
    this.print(
      projects.length === 0
        ? 'You are in no project yet. Ask an admin of one to add you.'
        : `Projects: ${projects.join(', ')}${chosen === 'keep' ? '' : ` (default: ${chosen.name})`}`,
    );
  }

  private clientOf(url: string, token: string): Dstack {
    return new Dstack({ url, token, userAgent: 'dstack-cli', onSlow: slowServerNote(this.context) });
  }

  private async provider(client: Dstack, wanted: string | undefined): Promise<string> {
    const names = (await client.auth.providers()).filter(({ enabled }) => enabled).map(({ name }) => name);
    const [only, ...others] = names;
    if (only === undefined)
      throw new CliError(`${client.url} has no sign-in provider.`, {
        hint: 'Get a token from its administrator: dstack project add --name NAME --url URL --token TOKEN',
      });
    if (wanted !== undefined && !names.includes(wanted))
      throw new UsageError(`${client.url} has no sign-in provider ${wanted}.`, `It has: ${names.join(', ')}`);
    if (wanted !== undefined || others.length === 0) return wanted ?? only;
    const question = `Sign in with (${names.join(', ')})? `;
    return ask(this.context, question, 'Pass --provider NAME.', (answer) => names.includes(answer));
  }

  private async byBrowser(client: Dstack, provider: string): Promise<Wire.UserWithCreds> {
    const answers = await BrowserAnswers.listen();
    try {
      const { authorization_url: url } = await client.auth.authorize(provider, { local_port: answers.port });
      const state = new URL(url).searchParams.get('state') ?? '';
      const answer = answers.next(state, AbortSignal.timeout(BROWSER_LIMIT_MS));
      answer.catch(() => undefined); // told below
      this.note(
        `Sign in here (a browser opens by itself, if there is one):\n  ${url}\nNo browser on this machine: --device`,
      );
      openBrowser(url);
      return await client.auth.callback(provider, await answer);
    } catch (error) {
      throw endOfWaiting(error, provider);
    } finally {
      await answers.close();
    }
  }

  private async byDevice(client: Dstack, provider: string): Promise<Wire.UserWithCreds> {
    const started = await client.auth.startDevice(provider);
    const address = started.verification_uri_complete ?? started.verification_uri;
    this.note(`Open this address on any machine:\n  ${address}\nand compare the code there: ${started.user_code}`);
    const until = Date.now() + started.expires_in * 1000;
    let { interval } = started;
    while (Date.now() < until) {
      await sleep(interval * 1000);
      const reply = await client.auth.deviceResult(provider, started.id);
      if (reply.user !== null) return reply.user;
      interval = reply.interval;
    }
    throw new CliError('Nobody confirmed the sign-in in time.', { hint: 'Start again: dstack login --device' });
  }

  private ask(projects: readonly string[]): Promise<string> {
    const question = `Default project (${projects.join(', ')})? `;
    return ask(this.context, question, 'Pass -y or -n.', (answer) => projects.includes(answer));
  }
}

function endOfWaiting(error: unknown, provider: string): unknown {
  const again = 'Start again: dstack login (without a browser on this machine: --device)';
  if (error instanceof SignInRefusedError)
    return new CliError(`${provider} refused the sign-in (${error.message}).`, { hint: again, cause: error });
  if (error instanceof Error && error.name === 'TimeoutError')
    return new CliError(`Nobody signed in within ${BROWSER_LIMIT_MS / 60_000} minutes.`, { hint: again, cause: error });
  return error;
}
