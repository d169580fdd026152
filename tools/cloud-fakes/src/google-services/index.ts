export { GoogleLoggingFake } from './google-logging-fake.js';
export { GoogleStorageFake } from './google-storage-fake.js';
