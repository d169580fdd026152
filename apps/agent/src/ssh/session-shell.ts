import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';

/** The user's own shell where it is one; accounts without a login (`nologin`, `false`) and numeric users get the best there is. */
export function sessionShell(wanted: string): string {
  const none = /^(nologin|false|true|sync)$/.test(basename(wanted));
  const candidates = none || wanted === '/bin/sh' ? ['/bin/bash', '/bin/sh'] : [wanted, '/bin/bash', '/bin/sh'];
  return candidates.find(isExecutable) ?? '/bin/sh';
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
