import type * as Wire from '../wire/generated/api.js';

export type Ide = NonNullable<Wire.DevEnvironmentConfiguration['ide']>;

const LINK_SCHEMES: Readonly<Record<Ide, string>> = {
  vscode: 'vscode://vscode-remote/ssh-remote+',
  cursor: 'cursor://vscode-remote/ssh-remote+',
  windsurf: 'windsurf://vscode-remote/ssh-remote+',
  zed: 'zed://ssh/',
};

export const IDE_NAMES: Readonly<Record<Ide, string>> = {
  vscode: 'VS Code',
  cursor: 'Cursor',
  windsurf: 'Windsurf',
  zed: 'Zed',
};

/** Opens a directory of the host that SSH knows by this name. */
export function ideLink(ide: Ide, sshName: string, directory: string): string {
  return `${LINK_SCHEMES[ide]}${sshName}${directory}`;
}
