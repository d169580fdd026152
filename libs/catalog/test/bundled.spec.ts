import { knownAccelerator } from '@dstack/core';
import { bundledCatalog, bundledClouds, type CatalogFilter, typeResources } from '../src/index.js';

const named = (name: string): CatalogFilter => ({ type: (type) => type.name === name });

describe('the bundled catalogs', () => {
  it('are those of the clouds whose prices are public; marketplaces are asked instead', () => {
    expect(bundledClouds()).toEqual(['aws', 'azure', 'gcp', 'lambda', 'oci', 'runpod']);
  });

  it.each(bundledClouds())(
    'of %s says where and when each price is from, and names only known accelerators',
    (cloud) => {
      const catalog = bundledCatalog(cloud);
      expect(catalog.size).toBeGreaterThan(300);
      for (const { source, date, isExact, note } of catalog.sources) {
        expect(source).not.toBe('');
        expect(date).toMatch(/20\d\d/);
        expect(isExact || note !== undefined).toBe(true);
      }
      const gpus = catalog.types.flatMap(({ gpu }) => gpu ?? []);
      expect(gpus.filter(({ name }) => knownAccelerator(name)?.name !== name)).toEqual([]);
      expect(gpus.filter(({ count }) => !Number.isInteger(count) || count < 1)).toEqual([]);
    },
  );

  it.each([
    ['aws', 'p5.48xlarge', 'us-east-1', false, 192, 'H100', 8],
    ['gcp', 'a2-highgpu-1g', 'us-central1-a', false, 12, 'A100', 1],
    ['azure', 'Standard_ND96isr_H100_v5', 'eastus', false, 96, 'H100', 8],
    ['oci', 'BM.GPU.A10.4', 'eu-frankfurt-1', false, 128, 'A10', 4],
    ['lambda', 'gpu_8x_h100_sxm5', 'us-east-1', false, 208, 'H100', 8],
    ['runpod', 'AMD Instinct MI300X OAM', 'AP-IN-1', false, 24, 'MI300X', 1],
  ])('of %s has %s in %s', (cloud, name, location, isSpot, cpus, gpu, count) => {
    const found = [...bundledCatalog(cloud).rows(named(name))].find(
      (row) => row.location === location && row.isSpot === isSpot && row.type.cpus === cpus,
    );
    expect(found?.type.gpu).toMatchObject({ name: gpu, count });
    expect(found?.price).toBeGreaterThan(0);
  });

  it('keep slices of many hosts, which are no offers', () => {
    const [slice] = bundledCatalog('gcp').rows(named('v4-32'));
    expect(slice?.type.gpu).toMatchObject({ vendor: 'google', name: 'v4-32', count: 1 });
    expect(slice && typeResources(slice.type, false)).toBeNull();
  });

  it('tell what a machine has as offers do', () => {
    const [row] = bundledCatalog('aws').rows(named('g6.xlarge'));
    expect(row && typeResources(row.type, true)).toEqual({
      cpus: 4,
      memory_mib: 16_384,
      gpus: [{ name: 'L4', vendor: 'nvidia', memory_mib: 24_576 }],
      spot: true,
      cpu_arch: 'x86',
      description: '',
    });
  });
});
