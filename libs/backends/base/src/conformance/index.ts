export { COMPUTE_CASES, WIRE_CASES, type ContractCase } from './compute-cases.js';
export type { ComputeOverAWire, ComputeUnderTest } from './compute-under-test.js';
export { testContainer } from './test-container.js';
export { describeCompute, describeComputeOverAWire } from './describe-compute.js';
