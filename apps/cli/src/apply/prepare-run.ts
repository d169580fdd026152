import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { RunConfiguration, Wire } from '@dstack/core';
import type { Dstack } from '@dstack/sdk';
import { buildArchive } from '../archive/build-archive.js';
import type { OpenedRepo } from '../repo/open-repo.js';
import type { CredentialFlags } from '../repo/repo-credentials.js';
import type { ConfigurationText } from './configuration-file.js';

export interface RepoFlags extends CredentialFlags {
  readonly repo?: string | undefined;
  readonly branch?: string | undefined;
  readonly hash?: string | undefined;
  readonly noRepo: boolean;
}

export interface PrepareInputs {
  readonly configuration: RunConfiguration;
  readonly source: ConfigurationText;
  readonly profile: Wire.Profile;
  readonly repo: RepoFlags;
  readonly sshPublicKey: string | null;
  readonly cwd: string;
}

/** A run ready to be planned; nothing was uploaded yet. */
export interface PreparedRun {
  readonly spec: Wire.RunSpecInput;
  /** Uploads what the run takes along, and gives the specification to submit. */
  upload(client: Dstack, signal: AbortSignal): Promise<Wire.RunSpecInput>;
}

interface Archive {
  readonly path: string;
  readonly hash: string;
  readonly tar: Uint8Array;
}

/** Stands for an archive the server does not have yet: it is uploaded after the confirmation only. */
const NOT_UPLOADED = '00000000-0000-4000-8000-000000000000';

/** Reads files and repository, and makes the run specification. @throws {CliError} */
export async function prepareRun(client: Dstack, inputs: PrepareInputs): Promise<PreparedRun> {
  const { configuration, source } = inputs;
  const { files, archives } = await readFiles(configuration.files ?? [], source.directory);
  const repo = await chooseRepo(client, inputs);
  const known = await Promise.all(archives.map(async (archive) => (await client.files.find(archive.hash))?.id));
  const spec: Wire.RunSpecInput = {
    run_name: configuration.name ?? null,
    ...(repo ? { repo_id: repo.id, repo_data: repo.data, repo_code_hash: codeHash(repo) } : {}),
    file_archives: archives.map((archive, i) => ({ id: known[i] ?? NOT_UPLOADED, path: archive.path })),
    configuration_path: source.path,
    // The expanded form is a form the server takes; the contract's input types only spell it less exactly.
    configuration: { ...configuration, files } as Wire.RunSpecInput['configuration'],
    profile: inputs.profile,
    ssh_key_pub: inputs.sshPublicKey,
  };
  return {
    spec,
    async upload(uploader, signal) {
      const uploaded: Wire.FileArchiveMapping[] = [];
      for (const [i, archive] of archives.entries())
        uploaded.push({
          id: known[i] ?? (await uploader.files.ensureArchive(archive.tar, { signal })).id,
          path: archive.path,
        });
      const hash = repo ? codeHash(repo) : null;
      if (repo && hash !== null) await uploader.repos.uploadCode(repo.id, hash, repo.diff, { signal });
      return { ...spec, file_archives: uploaded };
    },
  };
}

function codeHash(repo: OpenedRepo): string | null {
  return repo.diff.length === 0 ? null : createHash('sha256').update(repo.diff).digest('hex');
}

async function readFiles(
  files: readonly Wire.FilePathMapping[],
  directory: string,
): Promise<{ files: Wire.FilePathMapping[]; archives: Archive[] }> {
  const mappings = files.map((file) => ({ ...file, local_path: absolute(file.local_path, directory) }));
  const archives: Archive[] = [];
  for (const mapping of mappings) {
    const tar = await buildArchive(mapping.local_path, homedir());
    archives.push({ path: mapping.path, tar, hash: createHash('sha256').update(tar).digest('hex') });
  }
  return { files: mappings, archives };
}

function absolute(path: string, directory: string): string {
  return resolve(directory, path.replace(/^~(?=$|\/)/, homedir()));
}

async function chooseRepo(client: Dstack, inputs: PrepareInputs): Promise<OpenedRepo | undefined> {
  const { repo, configuration, source, cwd } = inputs;
  if (repo.noRepo) return undefined;
  const [configured] = configuration.repos ?? [];
  const configuredSource = configured?.url ?? configured?.local_path;
  const choice =
    repo.repo !== undefined
      ? { source: repo.repo, directory: cwd, branch: repo.branch, hash: repo.hash }
      : configuredSource
        ? {
            source: configuredSource.replace(/^~(?=$|\/)/, homedir()),
            directory: source.directory,
            branch: repo.branch ?? configured?.branch ?? undefined,
            hash: repo.hash ?? configured?.hash ?? undefined,
          }
        : undefined;
  if (!choice) return undefined;
  const { openRepo } = await import('../repo/open-repo.js');
  const { ensureRepo } = await import('../repo/repo-credentials.js');
  const opened = await openRepo(choice);
  await ensureRepo(client, opened, repo);
  return opened;
}
