import type { Wire } from '@dstack/core';

const AT = '2026-01-02T03:04:05Z';

export function submission(changes: Partial<Wire.JobSubmission> = {}): Wire.JobSubmission {
  return { id: 's1', submission_num: 0, submitted_at: AT, last_processed_at: AT, status: 'submitted', ...changes };
}

export function provisioned(changes: Partial<Wire.JobProvisioningData> = {}): Wire.JobProvisioningData {
  return {
    backend: 'aws',
    instance_type: {
      name: 'g6.xlarge',
      resources: { cpus: 4, memory_mib: 16384, gpus: [{ name: 'L4', memory_mib: 24576 }], spot: false },
    },
    instance_id: 'i-1',
    hostname: '203.0.113.7',
    region: 'us-west-2',
    price: 0.8048,
    username: 'ubuntu',
    ssh_port: 22,
    dockerized: true,
    ...changes,
  };
}

export function run(changes: {
  name?: string;
  status: Wire.RunStatus;
  job?: Wire.JobSubmission;
  jobs?: Wire.Job[];
  message?: string;
}): Wire.Run {
  const name = changes.name ?? 'train';
  return {
    id: 'r1',
    project_name: 'main',
    user: 'alice',
    submitted_at: AT,
    last_processed_at: AT,
    status: changes.status,
    status_message: changes.message ?? changes.status,
    run_spec: { run_name: name, configuration: { type: 'task', commands: ['x'] } },
    jobs: changes.jobs ?? [job(changes.job ?? submission())],
  };
}

export function job(latest: Wire.JobSubmission, spec: Partial<Wire.JobSpec> = {}): Wire.Job {
  return {
    job_spec: {
      replica_num: 0,
      job_num: 0,
      job_name: 'train-0-0',
      commands: [],
      env: {},
      image_name: 'i',
      requirements: {
        resources: { cpu: { arch: 'x86', count: { min: 2, max: null } }, memory: { min: 8, max: null } },
        spot: false,
      },
      ...spec,
    },
    job_submissions: [latest],
  };
}

export function offer(changes: Partial<Wire.InstanceOfferWithAvailability> = {}): Wire.InstanceOfferWithAvailability {
  return {
    backend: 'aws',
    region: 'us-west-2',
    price: 0.8048,
    instance: provisioned().instance_type,
    availability: 'available',
    ...changes,
  };
}

export function plan(changes: {
  name?: string;
  current?: Wire.Run;
  action?: Wire.ApplyAction;
  offers?: Wire.InstanceOfferWithAvailability[];
  totalOffers?: number;
}): Wire.RunPlan {
  const offers = changes.offers ?? [];
  return {
    project_name: 'main',
    user: 'alice',
    run_spec: { run_name: changes.name ?? null, configuration: { type: 'task', commands: ['x'] } },
    job_plans: [
      {
        job_spec: job(submission()).job_spec,
        offers,
        total_offers: changes.totalOffers ?? offers.length,
        max_price: offers.length > 0 ? 12.1 : null,
      },
    ],
    current_resource: changes.current ?? null,
    action: changes.action ?? 'create',
  };
}
