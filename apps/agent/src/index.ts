export { agentMainPath, folderCommand, selfCommand } from './self-command.js';
export { AGENT_VERSION } from './version.js';
