import { jobConnectionInfo } from './connection-info.js';

const first = { job_name: 'dev-0-0', job_num: 0, replica_num: 0 };

it.each([
  ['vscode', 'VS Code', 'vscode://vscode-remote/ssh-remote+dev/workflow'],
  ['cursor', 'Cursor', 'cursor://vscode-remote/ssh-remote+dev/workflow'],
  ['windsurf', 'Windsurf', 'windsurf://vscode-remote/ssh-remote+dev/workflow'],
  ['zed', 'Zed', 'zed://ssh/dev/workflow'],
] as const)('a dev environment in %s is opened by its link', (ide, name, url) => {
  const configuration = { type: 'dev-environment' as const, ide };
  const info = jobConnectionInfo({ configuration, runName: 'dev', job: first, workingDir: '/workflow' });
  expect(info).toMatchObject({ ide_name: name, attached_ide_url: url, attached_ssh_command: ['ssh', 'dev'] });
});

it.each([
  ['the first job by the name of the run', first, 'train'],
  ['another node by its own name', { ...first, job_name: 'train-1-0', job_num: 1 }, 'train-1-0'],
  ['another replica by its own name', { ...first, job_name: 'train-0-2', replica_num: 2 }, 'train-0-2'],
])('ssh knows %s', (_what, job, name) => {
  const configuration = { type: 'task' as const, commands: ['x'] };
  expect(jobConnectionInfo({ configuration, runName: 'train', job, workingDir: '/' })).toEqual({
    ide_name: null,
    attached_ide_url: null,
    proxied_ide_url: null,
    attached_ssh_command: ['ssh', name],
    proxied_ssh_command: null,
    sshproxy_hostname: null,
    sshproxy_port: null,
    sshproxy_upstream_id: null,
  });
});

it('names the way through an SSH proxy where there is one', () => {
  const configuration = { type: 'task' as const, commands: ['true'] };
  const facts = { configuration, runName: 'train', job: first, workingDir: '/' };
  const proxy = { hostname: 'ssh.example.org', port: 2222, upstreamId: 'j1' };
  expect(jobConnectionInfo({ ...facts, proxy })).toMatchObject({
    proxied_ssh_command: ['ssh', '-p', '2222', 'j1@ssh.example.org'],
    sshproxy_hostname: 'ssh.example.org',
    sshproxy_port: 2222,
    sshproxy_upstream_id: 'j1',
  });
});
