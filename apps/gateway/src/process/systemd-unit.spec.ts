import { systemdUnit } from './systemd-unit.js';

it('starts, replaces and ends the program as it was told to', () => {
  const flags = ['--dir', '/var/lib/my gateway', '--socket-user', '1000'];
  const unit = systemdUnit({ command: '/opt/gateway/current/dstack-gateway', dir: '/var/lib/my gateway', flags });
  const all = '--dir "/var/lib/my gateway" --socket-user 1000';
  expect(unit).toContain(`ExecStart=/opt/gateway/current/dstack-gateway start ${all}\n`);
  expect(unit).toContain(`ExecReload=/opt/gateway/current/dstack-gateway start ${all}\n`);
  expect(unit).toContain('PIDFile=/var/lib/my gateway/gateway.pid\n');
  expect(unit).toContain('KillMode=process\n');
});
