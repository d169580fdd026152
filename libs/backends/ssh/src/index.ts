export { sshDefinition, type SshConfig } from './definition.js';
