export { COMPUTE_CASES, WIRE_CASES, type ContractCase } from './compute-cases.js';
export type { ComputeOverAWire, ComputeUnderTest } from './compute-under-test.js';
export { someAttempt, TEST_OWNER, TEST_PUBLIC_KEY } from './some-attempt.js';
export { testContainer } from './test-container.js';
export { ANYTHING, testCall, type TestEnvironment, testEnvironment } from './test-environment.js';
export { describeCompute, describeComputeOverAWire } from './describe-compute.js';
