import type { Wire } from '@dstack/core';
import { volumesTable } from '../src/render/volumes-table.js';
import { PLAIN_STYLE } from '../src/terminal/style.js';

const now = Date.parse('2026-01-02T03:06:05Z');
const options = { nowMs: now, width: 160, style: PLAIN_STYLE };

const volume = (more: object = {}): Wire.Volume => ({
  id: '00000000-0000-4000-8000-000000000001',
  name: 'data',
  user: 'ada',
  project_name: 'main',
  configuration: { type: 'volume', backend: 'aws', name: 'data', region: 'us-east-1', size: 100 },
  external: false,
  created_at: '2026-01-02T03:00:05Z',
  last_processed_at: '2026-01-02T03:00:05Z',
  status: 'active',
  deleted: false,
  volume_id: 'vol-1',
  provisioning_data: { backend: 'aws', volume_id: 'vol-1', size_gb: 100, availability_zone: 'us-east-1a', price: 8, attachable: true, detachable: true },
  cost: 0.1,
  attachments: [],
  ...more,
}); // prettier-ignore

it('shows volumes by name, backend and state', () => {
  expect(volumesTable([volume()], { ...options, verbose: false })).toBe(
    ' NAME  BACKEND          STATUS  CREATED\n data  aws (us-east-1)  active  6 mins ago',
  );
});

it('shows with -v where they are, who has them, what they cost and what is in the way', () => {
  const attachments = [{ instance: { name: 'pool-0', fleet_name: 'pool', instance_num: 0 } }];
  const stuck = volume({ attachments, status_display: 'detaching', last_error: 'EBS is down' });
  expect(volumesTable([stuck], { ...options, verbose: true })).toBe(
    ' NAME  BACKEND  REGION                  STATUS     ATTACHED  PRICE     CREATED     ERROR\n' +
      ' data  aws      us-east-1 (us-east-1a)  detaching  pool      $8/month  6 mins ago  EBS is down',
  );
});
