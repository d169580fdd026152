export { A100_NODE, CPU_NODE, type FakeNode } from './nodes.js';
export { KubernetesFake } from './kubernetes-fake.js';
export type { PodSpec } from './pod-spec.js';
export { idlePods, type PodRun, type PodRunner } from './pod-runner.js';
export type { Roles, Rule } from './rbac.js';
export type { Stored } from './objects.js';
export { DockerPods } from './docker-pods.js';
