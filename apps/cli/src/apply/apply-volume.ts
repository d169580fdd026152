import type { VolumeConfiguration } from '@dstack/core';
import { type Dstack, isDstackError, type Wire } from '@dstack/sdk';
import { CliError, QuietExit } from '../errors/cli-error.js';
import { renderProperties } from '../render/properties.js';
import { volumeState, volumeTrouble } from '../render/volume-state.js';
import { diffValues } from '../render/spec-diff.js';
import type { CliContext } from '../terminal/context.js';
import type { ApplyResource } from './apply-resource.js';
import { chooseResourceAction } from './resource-change.js';
import { waitFor } from './wait-for.js';

const WAIT_MS = 20 * 60_000;

export async function applyVolume(
  client: Dstack,
  context: CliContext,
  resource: ApplyResource<VolumeConfiguration>,
): Promise<unknown> {
  const { configuration, flags, signal } = resource;
  const say = (text: string) => {
    if (!resource.json) process.stdout.write(`${text}\n`);
  };
  const name = configuration.name ?? undefined;
  const current = name === undefined ? undefined : await findVolume(client, name);
  say(
    `${renderProperties(
      [
        ['Project', client.project],
        ['Configuration', resource.source.path],
        ['Type', 'volume'],
        ['Backend', configuration.backend],
        ['Region', configuration.region ?? undefined],
        ['Zone', 'availability_zone' in configuration ? (configuration.availability_zone ?? undefined) : undefined],
        ['Volume', 'volume_id' in configuration ? (configuration.volume_id ?? undefined) : undefined],
        ['Size', typeof configuration.size === 'number' ? `${configuration.size}GB` : undefined],
      ],
      context.style,
    )}\n`,
  );
  if (flags['dry-run']) return { configuration, current_resource: current ?? null };
  const changes = current && diffValues(current.configuration, configuration, '');
  const action = await chooseResourceAction(
    context,
    { kind: 'volume', name, changes, inPlace: false, yes: flags.yes, force: flags.force },
    say,
  );
  if (action === 'nothing') return current;
  if (action === 'declined') {
    say('Exiting...');
    throw new QuietExit(0);
  }
  if (action === 'replace' && name !== undefined) {
    await client.volumes.delete([name], { signal });
    await waitFor(context, {
      look: () => findVolume(client, name),
      waiting: (volume) => (volume ? `Deleting volume ${name}` : undefined),
      limitMs: WAIT_MS,
      signal,
      onLimit: 'See it: dstack volume -v',
    });
  }
  const created = await client.volumes.create(configuration, { signal });
  if (flags.detach || resource.json) {
    say(`Volume ${created.name} submitted, detaching...`);
    return created;
  }
  const done = await waitFor(context, {
    look: () => client.volumes.get(created.name, { signal }),
    waiting: (volume) => (volume.status === 'active' || volume.status === 'failed' ? undefined : waitingText(volume)),
    limitMs: WAIT_MS,
    signal,
    onLimit: 'It goes on. See it: dstack volume -v',
  });
  if (done.status === 'failed')
    throw new CliError(`Volume ${done.name}: ${done.status_message ?? 'failed'}`, {
      hint: 'See dstack volume -v and dstack event.',
    });
  say(`Volume ${done.name} is active.`);
  return done;
}

export async function findVolume(client: Dstack, name: string): Promise<Wire.Volume | undefined> {
  try {
    return await client.volumes.get(name);
  } catch (error) {
    if (isDstackError(error, 'not-found')) return undefined;
    throw error;
  }
}

function waitingText(volume: Wire.Volume): string {
  const trouble = volumeTrouble(volume);
  return `Volume ${volume.name}: ${volumeState(volume)}${trouble === '' ? '' : ` (${trouble})`}`;
}
