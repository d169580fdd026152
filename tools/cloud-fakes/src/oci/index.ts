export { OciFake, type OciFakeOptions } from './oci-fake.js';
export { OciRefusal } from './oci-refusal.js';
export type { FakeOciInstance } from './oci-region.js';
