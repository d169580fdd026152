import { z } from 'zod';
import type { JobStart } from './job-start.js';

const mount = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('instance'), instancePath: z.string(), path: z.string(), optional: z.boolean() }),
  z.object({
    kind: z.literal('volume'),
    backend: z.string(),
    name: z.string(),
    volumeId: z.string(),
    deviceName: z.string().optional(),
    initFs: z.boolean(),
    path: z.string(),
  }),
]);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');
const repoPlace = { path: z.string(), ifExists: z.enum(['error', 'skip']) };

const repo = z.discriminatedUnion('kind', [
  z.object({
    ...repoPlace,
    kind: z.literal('remote'),
    url: z.string(),
    branch: z.string().optional(),
    hash: z.string().optional(),
    singleBranch: z.boolean(),
    diffBlob: sha256.optional(),
    userName: z.string().optional(),
    userEmail: z.string().optional(),
    credentials: z.object({ oauthToken: z.string().optional(), privateKey: z.string().optional() }).optional(),
  }),
  z.object({ ...repoPlace, kind: z.literal('archive'), blob: sha256.optional() }),
]);

const schema = z.object({
  // Becomes a directory name on the host, so it must never carry a path.
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'letters, digits, - and _'),
  runId: z.string(),
  runName: z.string(),
  projectName: z.string(),
  jobName: z.string(),
  runtime: z.enum(['container', 'process']),
  container: z
    .object({
      image: z.string().min(1),
      registryAuth: z.object({ username: z.string(), password: z.string() }).optional(),
      privileged: z.boolean(),
      network: z.enum(['host', 'bridge']),
      shmBytes: z.number().int().positive().optional(),
      mounts: z.array(mount),
    })
    .optional(),
  commands: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  user: z.string().optional(),
  workingDir: z.string().optional(),
  repo: repo.optional(),
  files: z.array(z.object({ blob: sha256, path: z.string() })),
  gpuCount: z.number().int(),
  limits: z
    .object({ cpus: z.number().positive().optional(), memoryBytes: z.number().positive().optional() })
    .optional(),
  maxDurationSeconds: z.number().positive().optional(),
  logQuotaBytesPerHour: z.number().nonnegative().optional(),
  logSpool: z
    .object({ maxBytes: z.number().positive().optional(), whenFull: z.enum(['block', 'drop']).optional() })
    .optional(),
  serverAccess: z.boolean().optional(),
  ssh: z.object({
    authorizedKeys: z.array(z.string()),
    listen: z.object({ host: z.string(), port: z.number().int().min(0).max(65535) }).optional(),
    viaHost: z.object({ authorizedKeys: z.array(z.string()) }).optional(),
  }),
  gatewayDoor: z.object({ authorizedKeys: z.array(z.string()), port: z.number().int().min(1).max(65535) }).optional(),
  cluster: z.object({
    nodesNum: z.number().int(),
    nodeRank: z.number().int(),
    nodesIps: z.array(z.string()),
    gpusPerNode: z.number().int(),
    gpusNum: z.number().int(),
    sshKey: z.object({ privateKey: z.string(), publicKey: z.string() }).optional(),
  }),
  repoId: z.string(),
});

/** Unknown fields are dropped, so that an older agent takes a newer server's job. @throws {RangeError} naming each wrong field. */
export function parseJobStart(value: unknown): JobStart {
  const result = schema.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    throw new RangeError(`not a job: ${issues.join('; ')}`);
  }
  // The parse boundary: zod's optional fields say `T | undefined`, ours say absent.
  const job = result.data as JobStart;
  if (job.runtime === 'container' && job.container === undefined) {
    throw new RangeError('not a job: container: required when runtime is "container"');
  }
  return job;
}
