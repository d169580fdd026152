import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';

export const BUSYBOX_IMAGE = 'dstack-agent-test/busybox:1';
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'env',
  'id',
  'ls',
  'mkdir',
  'seq',
  'stat',
  'test',
  'touch',
  'true',
  'head',
  'tr',
  'ps',
];

export const docker = new Docker();

/** Why container tests cannot run here; undefined when they can. */
export function missingForContainers(): string | undefined {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: 'pipe', timeout: 10_000 });
  } catch {
    return 'no Docker Engine answers';
  }
  try {
    execFileSync('busybox', ['true'], { stdio: 'pipe' });
  } catch {
    return 'there is no busybox to make an image of (package busybox-static)';
  }
  return undefined;
}

/** Prints the reason where it skips, so that nobody takes silence for success. */
export function describeContainers(name: string, body: () => void): void {
  const missing = missingForContainers();
  if (missing === undefined) {
    describe(name, body);
    return;
  }
  process.stderr.write(`skipped "${name}": ${missing}\n`);
  describe.skip(`${name} (${missing})`, body);
}

/** An image of one static binary, made without any registry; its own user, directory, command and environment are there to be read. */
export function importBusybox(name = BUSYBOX_IMAGE, changes: readonly string[] = []): void {
  const root = mkdtempSync(join(tmpdir(), 'image-'));
  try {
    mkdirSync(join(root, 'bin'));
    copyFileSync(busyboxPath(), join(root, 'bin/busybox'));
    chmodSync(join(root, 'bin/busybox'), 0o755);
    for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
    const archive = join(root, '..', `${root.split('/').at(-1) ?? 'image'}.tar`);
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    const options = changes.flatMap((change) => ['-c', change]);
    execFileSync('docker', ['import', '-c', 'ENV PATH=/bin', ...options, archive, name], { stdio: 'pipe' });
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** A stand-in for the agent's folder: a static shell that runs `script` where the agent would run its job side. */
export function scriptFolder(script: string): { folder: string; agentCommand: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'folder-'));
  copyFileSync(busyboxPath(), join(folder, 'busybox'));
  chmodSync(join(folder, 'busybox'), 0o755);
  writeFileSync(join(folder, 'run.sh'), script);
  return { folder, agentCommand: ['/opt/dstack-agent/busybox', 'sh', '/opt/dstack-agent/run.sh'] };
}

function busyboxPath(): string {
  return execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
}
