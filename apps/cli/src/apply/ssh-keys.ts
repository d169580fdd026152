import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Wire } from '@dstack/core';
import { publicKeyOf } from '../ssh/identity.js';

/** The private keys the server needs to reach the hosts, read from the files that are named. */
export async function withSshKeys(ssh: Wire.SSHParams, directory: string): Promise<Wire.SSHParams> {
  const key = async (file: string | null | undefined): Promise<Wire.SSHKey | null> => {
    if (!file) return null;
    const { privateFile, publicKey } = await publicKeyOf(file, directory);
    return { public: publicKey, private: await readFile(privateFile, 'utf8') };
  };
  const proxy = async (jump: Wire.SSHProxyParams | null | undefined) =>
    jump ? { ...jump, ssh_key: await key(jump.identity_file) } : null;
  return {
    ...ssh,
    ...(ssh.identity_file
      ? { identity_file: resolve(directory, ssh.identity_file.replace(/^~(?=\/)/, homedir())) }
      : {}),
    ssh_key: await key(ssh.identity_file),
    proxy_jump: await proxy(ssh.proxy_jump),
    hosts: await Promise.all(
      ssh.hosts.map(async (host) =>
        typeof host === 'string'
          ? host
          : { ...host, ssh_key: await key(host.identity_file), proxy_jump: await proxy(host.proxy_jump) },
      ),
    ),
  };
}
