import { randomUUID } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { createServerApp, readSettings } from '@dstack/server';
import { JobPorts } from '@dstack/server/parts';

/**
 * The real server with one service whose replica is the port of the first argument; the second is a directory. Its port is reached over
 * loopback instead of over a host's agent: what is measured is the proxy.
 */
const [, , port = '', serverDir = ''] = process.argv;
const { settings } = readSettings(
  {},
  { serverDir, logLevel: 'CRITICAL', localBackend: false, backgroundProcessing: false },
);
const server = await createServerApp(settings);
const ports = server.app.get(JobPorts, { strict: false });
ports.open = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
await server.db.write(async (tx) => {
  const [project] = await tx.query<{ id: string; owner_id: string }>('SELECT id, owner_id FROM projects');
  if (project === undefined) throw new Error('a new server has a project');
  const [runId, instanceId] = [randomUUID(), randomUUID()];
  const configuration = { type: 'service', port: 8000, commands: ['serve'] };
  await tx.execute(
    `INSERT INTO runs (id, project_id, user_id, name, submitted_at, status, status_changed_at, run_spec)
     VALUES (?, ?, ?, 'bench', 1, 'running', 1, ?)`,
    [runId, project.id, project.owner_id, JSON.stringify({ run_name: 'bench', configuration })],
  );
  await tx.execute(
    `INSERT INTO instances (id, project_id, name, instance_num, status, status_changed_at, created_at) VALUES (?, ?, 'one', 0, 'busy', 1, 1)`,
    [instanceId, project.id],
  );
  await tx.execute(
    `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec,
       instance_id, registered) VALUES (?, ?, ?, 0, 0, 0, 'running', 1, 1, ?, ?, ?)`,
    [randomUUID(), runId, project.id, JSON.stringify({ service_port: 8000 }), instanceId, true],
  );
});
await server.app.listen(0, '127.0.0.1');
const address = server.app.getHttpServer().address() as AddressInfo; // Nest types it as anything
process.send?.({ port: address.port, token: server.adminToken });
