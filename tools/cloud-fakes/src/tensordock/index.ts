export { type FakeMachine, TensorDockFake, type TensorDockFakeOptions } from './tensordock-fake.js';
