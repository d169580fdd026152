import { spawn } from 'node:child_process';

/** As far as this system has one; the address is printed too. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): void {
  const [program, ...args] = opener(url, platform);
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}

/** Never through a shell: an address may have anything in it. */
export function opener(url: string, platform: NodeJS.Platform): string[] {
  if (!/^https?:\/\//.test(url)) return [];
  if (platform === 'darwin') return ['open', url];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}
