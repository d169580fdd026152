export { type FakeInstance, LambdaFake, type LambdaFakeOptions } from './lambda-fake.js';
