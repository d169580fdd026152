import { INSTANCE_STATUSES, VOLUME_STATUSES } from './enums.js';
import { displayBackend, toWireBackend, toWireInstanceStatus, toWireVolumeStatus } from './internal-values.js';

it('shows a launching instance as pending', () => expect(toWireInstanceStatus('launching')).toBe('pending'));

it.each(INSTANCE_STATUSES)('leaves the contract status %s as it is', (status) =>
  expect(toWireInstanceStatus(status)).toBe(status),
);

it('shows a volume that is being deleted as active, which it still may be', () =>
  expect(toWireVolumeStatus('deleting')).toBe('active'));

it.each(VOLUME_STATUSES)('leaves the contract volume status %s as it is', (status) =>
  expect(toWireVolumeStatus(status)).toBe(status),
);

it.each([
  ['local', 'remote', 'local'],
  ['remote', 'remote', 'ssh'],
  ['aws', 'aws', 'aws'],
] as const)('backend %s is %s on the wire and reads %s', (backend, wire, display) => {
  expect(toWireBackend(backend)).toBe(wire);
  expect(displayBackend(backend)).toBe(display);
});
