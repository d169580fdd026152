export { ArmRefusal } from './arm-answer.js';
export { AzureFake, type AzureFakeOptions } from './azure-fake.js';
export type { FakeAzureMachine } from './microsoft-compute.js';
