import { defaultProfile, mergeFleetProfile, resolveEnvSentinels, type Wire } from '@dstack/core';
import { type Dstack, isDstackError } from '@dstack/sdk';
import { QuietExit } from '../errors/cli-error.js';
import { fleetChanges } from '../render/fleet-changes.js';
import { fleetPlanText } from '../render/fleet-plan.js';
import { fleetsTable } from '../render/fleets-table.js';
import type { CliContext } from '../terminal/context.js';
import { withProgress } from '../terminal/progress.js';
import { awaitFleet, fleetFailure } from './await-fleet.js';
import type { ApplyResource } from './apply-resource.js';
import { readProfileFiles } from './load-profile.js';
import { chooseResourceAction } from './resource-change.js';
import { withSshKeys } from './ssh-keys.js';
import { waitFor } from './wait-for.js';

const AGAIN = 'Hosts that failed are tried again, and new keys reach the others.';
const WAIT_MS = 60 * 60_000;

export async function applyFleet(
  client: Dstack,
  context: CliContext,
  resource: ApplyResource<Wire.FleetConfiguration>,
): Promise<unknown> {
  const { flags, signal } = resource;
  const say = (text: string) => {
    if (!resource.json) process.stdout.write(`${text}\n`);
  };
  const spec = await fleetSpec(context, resource);
  const plan = await withProgress(context, 'Getting apply plan...', () => client.fleets.plan(spec, { signal }));
  say(`${fleetPlanText(plan, { style: context.style, width: context.width() })}\n`);
  if (flags['dry-run']) return plan;
  const current = plan.current_resource ?? undefined;
  const after = plan.effective_spec ?? plan.spec;
  const name = current?.name ?? spec.configuration.name;
  const action = await chooseResourceAction(
    context,
    {
      kind: 'fleet',
      name,
      changes: current && fleetChanges(current.spec, after),
      inPlace: plan.action === 'update',
      again: after.configuration.ssh_config ? AGAIN : undefined,
      yes: flags.yes,
      force: flags.force,
    },
    say,
  );
  if (action === 'nothing') return plan;
  if (action === 'declined') {
    say('Exiting...');
    throw new QuietExit(0);
  }
  if (action === 'replace' && current) await deleteFleetAndWait(client, context, current.name, signal);
  const applied = await withProgress(context, 'Applying plan...', () =>
    client.fleets.apply({ spec, current_resource: action === 'update' ? (current ?? null) : null }, flags.force, {
      signal,
    }),
  );
  if (flags.detach || resource.json) {
    say(`Fleet ${applied.name} ${action === 'update' ? 'updated' : 'submitted'}, detaching...`);
    return applied;
  }
  const done = await awaitFleet(client, context, applied.name, signal);
  say(fleetsTable([done], { style: context.style, width: context.width(), nowMs: context.now() }));
  const failure = fleetFailure(done);
  if (failure !== undefined) throw failure;
  return done;
}

export async function deleteFleetAndWait(
  client: Dstack,
  context: CliContext,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await client.fleets.delete([name], { signal });
  await waitFor(context, {
    look: () =>
      client.fleets.get({ name }, { signal }).catch((error: unknown) => {
        if (isDstackError(error, 'not-found')) return undefined;
        throw error;
      }),
    waiting: (fleet) => (fleet ? `Deleting fleet ${name}: ${fleet.instances.length} instances left` : undefined),
    limitMs: WAIT_MS,
    signal,
    onLimit: 'It is still being deleted. See it: dstack fleet',
  });
}

async function fleetSpec(
  context: CliContext,
  resource: ApplyResource<Wire.FleetConfiguration>,
): Promise<Wire.FleetSpecInput> {
  const resolved = resolveEnvSentinels(resource.configuration, context.env);
  const ssh = resolved.ssh_config ? await withSshKeys(resolved.ssh_config, resource.source.directory) : null;
  const configuration = { ...resolved, ssh_config: ssh };
  const profile = mergeFleetProfile(configuration, defaultProfile(await readProfileFiles(context)));
  return {
    configuration,
    configuration_path: resource.source.path,
    profile,
  };
}
