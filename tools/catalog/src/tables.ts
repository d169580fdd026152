import type { PriceSource } from '@dstack/catalog';
import type { PricedRow } from './read-table.js';

/** A table and where each of its figures is from. */
export interface Table {
  readonly file: string;
  readonly sourceOf: (row: PricedRow) => PriceSource;
}

const exact = (source: string, date: string, note?: string): PriceSource => ({
  source,
  date,
  isExact: true,
  ...(note === undefined ? {} : { note }),
});
const derived = (source: string, date: string, note: string): PriceSource => ({ source, date, isExact: false, note });

const AWS_LIST = exact('AWS Price List', '2026-07-20');
const AWS_EARLIER = exact('AWS on-demand price files', '2025-04-04');
const AWS_GPU = exact('AWS Price List', 'November 2025 or later');
const AWS_SPOT = exact('AWS spot prices, the lowest zone of a region', 'November 2025 or later');
const AWS_LIST_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-gov-west-1', 'us-gov-east-1']);

const GCP_LIST = exact('Google Cloud Billing Catalog', '2026-07-30');
const GCP_GPU = exact('Google Cloud Billing Catalog', '2026');
const GCP_ATTACHED = derived('Google Cloud Billing Catalog', '2026', 'machine price plus the price of its GPUs');
const GCP_SSD = derived(
  'Google Cloud Billing Catalog',
  '2026',
  'GPUs, processors and memory; local disks as far as priced',
);
const TPU_SLICE = exact('Google Cloud Billing Catalog', '2026', 'price of a chip times the chips of the slice');

const OCI_GPU = exact('Oracle price list', '2026', 'the same in every region');
const OCI_CPU = exact('Oracle price list', '2024-01-19', 'sum of processor and memory rates');
const OCI_POINT = derived('Oracle price list', '2024-01-19', 'processor and memory rates times a chosen size');

/** By cloud. Samples of marketplaces, whose offers only they know, are none of them. */
export const TABLES: Readonly<Record<string, readonly Table[]>> = {
  aws: [
    { file: 'aws.csv', sourceOf: awsSource },
    {
      file: 'aws_spot_derived.csv',
      sourceOf: () => derived('AWS Spot Instance Advisor', 'mid 2025', 'on-demand price less the advised saving'),
    },
  ],
  gcp: [
    { file: 'gcp.csv', sourceOf: gcpSource },
    { file: 'gcp_tpu_pods.csv', sourceOf: () => TPU_SLICE },
  ],
  azure: [
    { file: 'azure.csv', sourceOf: () => exact('Azure Retail Prices', '2026-06-18') },
    { file: 'azure_spot_gpu.csv', sourceOf: () => exact('Azure Retail Prices', '2025-06-21') },
  ],
  oci: [
    { file: 'oci.csv', sourceOf: ({ type }) => (type.gpu === null ? OCI_CPU : OCI_GPU) },
    { file: 'oci_flex.csv', sourceOf: () => OCI_POINT },
  ],
  lambda: [{ file: 'lambda.csv', sourceOf: () => exact('Lambda price list', '2026', 'the same in every region') }],
  runpod: [
    {
      file: 'runpod.csv',
      sourceOf: ({ type }) =>
        exact('RunPod secure cloud', isA100Pcie(type.name) ? '2026' : '2025-06-21', 'price of a GPU times their count'),
    },
  ],
};

function awsSource({ type, location, isSpot }: PricedRow): PriceSource {
  if (isSpot) return AWS_SPOT;
  if (AWS_LIST_REGIONS.has(location)) return AWS_LIST;
  return /^p[3-6]/.test(type.name) ? AWS_GPU : AWS_EARLIER;
}

function gcpSource({ type, location }: PricedRow): PriceSource {
  if (type.gpu?.vendor === 'google') return TPU_SLICE;
  if (type.name.startsWith('n1-') && type.gpu !== null) return GCP_ATTACHED;
  if (type.name === 'a3-ultragpu-8g') return GCP_SSD;
  if (type.name === 'a3-megagpu-8g' && /^us-(central1|west1)-/.test(location)) return GCP_SSD;
  return type.gpu === null ? GCP_LIST : GCP_GPU;
}

function isA100Pcie(name: string): boolean {
  return name === 'NVIDIA A100 80GB PCIe';
}
