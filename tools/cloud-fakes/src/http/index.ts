export { HttpFake } from './http-fake.js';
