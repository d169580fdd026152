import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { dashboard } from '../src/dashboard.js';
import { PROMETHEUS } from '../src/panels.js';

const compose = fileURLToPath(new URL('../../../docker/compose/', import.meta.url));
const read = (path: string): unknown => parse(readFileSync(join(compose, path), 'utf8'));

interface ComposeFile {
  readonly services: Record<'grafana' | 'prometheus', { readonly image: string; readonly volumes: readonly string[] }>;
}

const { services } = read('compose.yml') as ComposeFile;
/** Where files of the repository are in Grafana's container. */
const mounts = services.grafana.volumes
  .map((volume) => volume.split(':'))
  .filter(([source = '']) => source.startsWith('./'))
  .map(([source = '', target = '']) => ({ source: join(compose, source), target }));

describe('what the compose file gives Grafana', () => {
  it('is mounted from folders that are there', () => {
    expect(mounts).toHaveLength(2);
    for (const { source } of mounts) expect(existsSync(source)).toBe(true);
  });

  it('has the dashboards where the provider looks for them', () => {
    const provisioned = read('grafana/provisioning/dashboards/dstack.yml');
    expect(provisioned).toEqual({
      apiVersion: 1,
      providers: [{ name: 'dstack', type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
    });
    const { providers } = provisioned as { providers: [{ options: { path: string } }] };
    const mount = mounts.find(({ target }) => target === providers[0].options.path);
    expect(readdirSync(mount?.source ?? '')).toEqual(['dstack.json']);
  });

  it('provisions where Grafana of this image looks', () => {
    expect(mounts.map(({ target }) => target)).toContain('/etc/grafana/provisioning');
    expect(readdirSync(join(compose, 'grafana/provisioning')).sort()).toEqual(['dashboards', 'datasources']);
  });

  it('has the data source that the dashboard asks, at the service that scrapes', () => {
    expect(read('grafana/provisioning/datasources/prometheus.yml')).toEqual({
      apiVersion: 1,
      datasources: [
        { name: 'Prometheus', ...PROMETHEUS, access: 'proxy', url: 'http://prometheus:9090', isDefault: true },
      ],
    });
    expect(Object.keys(services)).toContain('prometheus');
  });

  it('is of the Grafana whose schema the dashboard is built with', () => {
    const sdk = dirname(fileURLToPath(import.meta.resolve('@grafana/grafana-foundation-sdk/dashboard')));
    const { version } = JSON.parse(readFileSync(join(sdk, '../../package.json'), 'utf8')) as { version: string };
    const [major = '', minor = ''] = version.split('.');
    expect(services.grafana.image).toMatch(new RegExp(`^grafana/grafana:${major}\\.${minor}\\.\\d+$`));
  });
});

describe('the dashboard', () => {
  const panels = dashboard().panels ?? [];

  it('has panels with ids of their own, which do not lie on each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos }) => {
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      return Array.from({ length: w * h }, (_cell, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...cells.map((cell) => Number(cell.split(',')[0])))).toBe(23);
  });
});
