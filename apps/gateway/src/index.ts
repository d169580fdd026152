export { systemdUnit } from './process/systemd-unit.js';
export { GATEWAY_VERSION } from './version.js';
