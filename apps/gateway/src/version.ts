/** Of this package; `nx release` and the bundle keep it equal to package.json (a test holds it). */
export const GATEWAY_VERSION = '0.1.0';
