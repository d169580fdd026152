import type { GatewayConfiguration } from '@dstack/core';
import { type Dstack, isDstackError, type Wire } from '@dstack/sdk';
import { CliError, QuietExit } from '../errors/cli-error.js';
import { renderProperties } from '../render/properties.js';
import { diffValues } from '../render/spec-diff.js';
import type { CliContext } from '../terminal/context.js';
import { withProgress } from '../terminal/progress.js';
import type { ApplyResource } from './apply-resource.js';
import { chooseResourceAction } from './resource-change.js';
import { withSshKeys } from './ssh-keys.js';
import { waitFor } from './wait-for.js';

const WAIT_MS = 30 * 60_000;

export async function applyGateway(
  client: Dstack,
  context: CliContext,
  resource: ApplyResource<GatewayConfiguration>,
): Promise<unknown> {
  const { configuration, flags, signal } = resource;
  const say = (text: string) => {
    if (!resource.json) process.stdout.write(`${text}\n`);
  };
  const { ssh_config: ssh, ...rest } = configuration;
  const own = ssh === undefined ? {} : { ssh_config: await withSshKeys(ssh, resource.source.directory) };
  const spec: Wire.GatewaySpec = { configuration: { ...rest, ...own }, configuration_path: resource.source.path };
  const plan = await withProgress(context, 'Getting apply plan...', () => client.gateways.plan(spec, { signal }));
  const wanted = plan.effective_spec.configuration;
  say(
    `${renderProperties(
      [
        ['Project', plan.project_name],
        ['User', plan.user],
        ['Type', 'gateway'],
        ssh === undefined
          ? ['Backend', `${wanted.backend} (${wanted.region})`]
          : ['Hosts', ssh.hosts.map((host) => (typeof host === 'string' ? host : host.hostname)).join(', ')],
        ['Domain', wanted.domain ?? '-'],
      ],
      context.style,
    )}\n`,
  );
  if (flags['dry-run']) return plan;
  const current = plan.current_resource ?? undefined;
  const action = await chooseResourceAction(
    context,
    {
      kind: 'gateway',
      name: current?.name ?? configuration.name,
      changes: current && diffValues(current.configuration, wanted, ''),
      inPlace: plan.action === 'update',
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
  if (action === 'replace' && current) {
    await client.gateways.delete([current.name], { signal });
    await waitFor(context, {
      look: () =>
        client.gateways.get(current.name, { signal }).catch((error: unknown) => {
          if (isDstackError(error, 'not-found')) return undefined;
          throw error;
        }),
      waiting: (gateway) => (gateway ? `Deleting gateway ${current.name}` : undefined),
      limitMs: WAIT_MS,
      signal,
      onLimit: 'See it: dstack gateway',
    });
  }
  const applied = await client.gateways.apply(
    { spec, current_resource: action === 'update' ? (current ?? null) : null },
    flags.force,
    { signal },
  );
  if (flags.detach || resource.json || action === 'update') {
    say(`Gateway ${applied.name} ${action === 'update' ? 'updated' : 'submitted, detaching...'}`);
    return applied;
  }
  const done = await waitFor(context, {
    look: () => client.gateways.get(applied.name, { signal }),
    waiting: (gateway) =>
      gateway.status === 'running' || gateway.status === 'failed'
        ? undefined
        : `Gateway ${gateway.name}: ${gateway.status}`,
    limitMs: WAIT_MS,
    signal,
    onLimit: 'It goes on. See it: dstack gateway -w',
  });
  if (done.status === 'failed')
    throw new CliError(`Gateway ${done.name}: ${done.status_message ?? 'failed'}`, {
      hint: 'See dstack gateway -v and dstack event.',
    });
  say(`Gateway ${done.name} is running at ${addressesOf(done).join(', ') || 'an unknown address'}.`);
  const records = dnsRecords(done);
  if (records.length > 0) say(`Services are reached once the DNS of the domain says:\n${records.join('\n')}`);
  return done;
}

function addressesOf({ hostname, replicas = [] }: Wire.Gateway): string[] {
  return hostname ? [hostname] : replicas.flatMap((replica) => replica.hostname ?? []);
}

/** A name for all services; an address is what an A record leads to, a name what a CNAME does. */
function dnsRecords(gateway: Wire.Gateway): string[] {
  const domain = gateway.wildcard_domain?.replace(/^\*\./, '');
  if (!domain || domain.includes('${{')) return [];
  return addressesOf(gateway).map((address) => `  *.${domain}  ${recordType(address)}  ${address}`);
}

function recordType(address: string): 'A' | 'AAAA' | 'CNAME' {
  if (/^[\d.]+$/.test(address)) return 'A';
  return address.includes(':') ? 'AAAA' : 'CNAME';
}
