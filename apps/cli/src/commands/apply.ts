import type { Configuration, RunConfiguration, Wire } from '@dstack/core';
import * as Flags from '@oclif/core/flags';
import { applyRun } from '../apply/apply-run.js';
import { checkFlagsFor } from '../apply/check-flags.js';
import { readConfigurationFile } from '../apply/configuration-file.js';
import { loadConfiguration, withFlags } from '../apply/load-configuration.js';
import { withLines } from '../apply/with-lines.js';
import { loadProfile } from '../apply/load-profile.js';
import { prepareRun } from '../apply/prepare-run.js';
import { finishConfiguration } from '../apply/finish-configuration.js';
import { attachFlags, offerFlags, profileFlags, repoFlags, resourceFlags, sharedFlags } from '../apply/run-flags.js';
import { applyResource } from '../apply/apply-resource.js';
import { commandHelp } from '../base/help.js';
import { interruptSignal } from '../base/interrupt.js';
import { ProjectCommand } from '../base/project-command.js';
import { UsageError } from '../errors/cli-error.js';
import { publicKeyOf } from '../ssh/identity.js';

export default class Apply extends ProjectCommand {
  static override summary = 'Create or update what a configuration describes';
  static override enableJsonFlag = true;
  static override examples = [
    'dstack apply -f task.dstack.yml',
    'dstack apply -f task.dstack.yml -y -d',
    'dstack apply --dry-run --json',
  ];
  static override flags = {
    file: Flags.string({ char: 'f', summary: 'The configuration file; - reads standard input', helpValue: 'FILE' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
    force: Flags.boolean({ summary: 'Apply although nothing changed' }),
    detach: Flags.boolean({ char: 'd', summary: 'Submit and return' }),
    verbose: Flags.boolean({ char: 'v', summary: 'Show all properties of the plan' }),
    'dry-run': Flags.boolean({ summary: 'Show the plan and end' }),
    json: Flags.boolean({ summary: 'Print the result as JSON' }),
    ...sharedFlags,
    ...attachFlags,
    ...offerFlags,
    ...resourceFlags,
    ...profileFlags,
    ...repoFlags,
  };

  /** `-h TYPE` shows the options of one configuration type. */
  static helpFor(argv: readonly string[]): string {
    const at = argv.findIndex((word) => word === '-h' || word === '--help');
    const type = argv[at + 1];
    const only = type === undefined ? undefined : checkFlagsFor(type);
    return commandHelp('apply', Apply, only);
  }

  async run(): Promise<unknown> {
    const split = this.argv.indexOf('--');
    const runArgs = split < 0 ? [] : this.argv.slice(split + 1);
    const { flags } = await this.parse(Apply, split < 0 ? this.argv : this.argv.slice(0, split));
    if (flags.file === '-' && !flags.yes && !flags['dry-run'])
      throw new UsageError(
        'A configuration from standard input cannot be confirmed.',
        'Pass -y to go on without asking.',
      );
    const { context } = this;
    const source = await readConfigurationFile(flags.file, context.cwd);
    const parsed = loadConfiguration(source);
    const type = parsed.configuration.type ?? 'task';
    refuseForeignFlags(type, this.argv.slice(0, split < 0 ? undefined : split), flags);
    const client = await this.connect(flags);
    const { signal, dispose } = interruptSignal();
    try {
      const merged = withFlags(parsed.configuration, flags);
      // Which one is asked for stands in no line of the configuration.
      const noProfile = flags['no-profile'] || !isRun(merged);
      const profile = await loadProfile({ profile: flags.profile, noProfile }, context);
      return await withLines(parsed, async () => {
        if (!isRun(merged))
          return await applyResource(client, context, {
            configuration: merged,
            source,
            flags,
            signal,
            json: this.jsonEnabled(),
          });
        const configuration = finishConfiguration(merged, { env: context.env, runArgs });
        const identity = flags['ssh-identity'];
        const prepared = await prepareRun(client, {
          configuration,
          source,
          profile,
          repo: {
            repo: flags.repo,
            branch: flags['repo-branch'],
            hash: flags['repo-hash'],
            noRepo: flags['no-repo'],
            token: flags.token,
            gitIdentity: flags['git-identity'],
          },
          sshPublicKey: identity === undefined ? null : (await publicKeyOf(identity, context.cwd)).publicKey,
          cwd: context.cwd,
        });
        const result: Wire.RunPlan | Wire.Run = await applyRun(client, context, prepared, {
          yes: flags.yes,
          force: flags.force,
          detach: flags.detach || this.jsonEnabled(),
          dryRun: flags['dry-run'],
          json: this.jsonEnabled(),
          verbose: flags.verbose,
          maxOffers: flags['max-offers'] ?? 3,
          fullOffers: flags['full-offers'],
          unallocated: flags.unallocated,
          ports: flags.port ?? [],
          host: flags.host,
          sshIdentity: identity,
          signal,
          releaseInterrupt: dispose,
        });
        return result;
      });
    } finally {
      dispose();
    }
  }
}

function isRun(configuration: Configuration): configuration is RunConfiguration {
  return ['task', 'service', 'dev-environment'].includes(configuration.type ?? 'task');
}

function refuseForeignFlags(type: string, argv: readonly string[], flags: Readonly<Record<string, unknown>>): void {
  const allowed = checkFlagsFor(type);
  const foreign = Object.keys(flags).filter(
    (name) => !allowed.has(name) && flags[name] !== false && flags[name] !== undefined && wasGiven(name, argv),
  );
  if (foreign.length > 0)
    throw new UsageError(
      `Unrecognized arguments for type ${type}: ${foreign.map((name) => `--${name}`).join(' ')}`,
      `See the options: dstack apply -h ${type}`,
    );
}

function wasGiven(name: string, argv: readonly string[]): boolean {
  const char = (Apply.flags as Record<string, { char?: string }>)[name]?.char;
  return argv.some(
    (word) =>
      word === `--${name}` || word.startsWith(`--${name}=`) || (char !== undefined && word.startsWith(`-${char}`)),
  );
}
