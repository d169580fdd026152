export { ASKS, type FakeAsk } from './asks.js';
export { type FakeContract, VastaiFake, type VastaiFakeOptions } from './vastai-fake.js';
