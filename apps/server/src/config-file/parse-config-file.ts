import { createSecretKey } from 'node:crypto';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { STANDARD_PERMISSIONS } from '../settings/default-permissions.js';
import { ConfigFileError, type ConfigFile } from './config-file.js';

const aesKey = z.strictObject({
  type: z.literal('aes'),
  name: z.string().regex(/^[a-zA-Z0-9]+$/, 'letters and digits only'),
  secret: z.string().refine((text) => Buffer.from(text, 'base64').length === 32, 'must be base64 of exactly 32 bytes'),
});

const configSchema = z.strictObject({
  projects: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,50}$/, 'letters, digits, - and _, at most 50'),
        backends: z.array(z.looseObject({ type: z.string() })).nullish(),
      }),
    )
    .nullish(),
  encryption: z
    .strictObject({
      keys: z.array(z.discriminatedUnion('type', [aesKey, z.strictObject({ type: z.literal('identity') })])),
    })
    .nullish(),
  default_permissions: z
    .strictObject({
      allow_non_admins_create_projects: z.boolean().optional(),
      allow_non_admins_manage_ssh_fleets: z.boolean().optional(),
      allow_managers_manage_secrets: z.boolean().optional(),
    })
    .nullish(),
  plugins: z.array(z.string()).nullish(),
});

type ParsedConfig = z.infer<typeof configSchema>;

/** @throws {ConfigFileError} with file, line and field */
export function parseConfigFile(text: string, path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) {
    const { line, col } = lines.linePos(syntaxError.pos[0]);
    throw new ConfigFileError(
      `${path}, line ${line}, column ${col}: ${syntaxError.code.toLowerCase().replaceAll('_', ' ')}`,
    );
  }
  const result = configSchema.safeParse(valueOf(document, path) ?? {});
  if (!result.success) {
    const problems = result.error.issues.map((issue) => describe(issue, document, lines, path));
    throw new ConfigFileError(problems.join('\n'));
  }
  return toConfigFile(result.data, path);
}

/** Aliases are followed only here: one that leads nowhere, or to too much, throws. */
function valueOf(document: Document.Parsed, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigFileError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toConfigFile(parsed: ParsedConfig, path: string): ConfigFile {
  const projects = (parsed.projects ?? []).map(({ name, backends }) => ({ name, backends: backends ?? [] }));
  refuseDuplicates(
    projects.map(({ name }) => name),
    `${path}: project`,
  );
  for (const { name, backends } of projects)
    refuseDuplicates(
      backends.map(({ type }) => type),
      `${path}: project ${name}: backend`,
    );
  const given = parsed.default_permissions ?? {};
  return {
    projects,
    encryptionKeys: (parsed.encryption?.keys ?? []).map((key) =>
      key.type === 'aes'
        ? { type: 'aes', name: key.name, secret: createSecretKey(key.secret, 'base64') }
        : { type: 'identity' },
    ),
    plugins: parsed.plugins ?? [],
    permissions: {
      allowNonAdminsCreateProjects:
        given.allow_non_admins_create_projects ?? STANDARD_PERMISSIONS.allowNonAdminsCreateProjects,
      allowNonAdminsManageSshFleets:
        given.allow_non_admins_manage_ssh_fleets ?? STANDARD_PERMISSIONS.allowNonAdminsManageSshFleets,
      allowManagersManageSecrets:
        given.allow_managers_manage_secrets ?? STANDARD_PERMISSIONS.allowManagersManageSecrets,
    },
  };
}

function refuseDuplicates(names: readonly string[], what: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigFileError(`${what} ${twice} is there twice.`);
}

/** The message never shows a value: it may be a credential. */
function describe(
  { path: field, message, code }: z.core.$ZodIssue,
  document: Document.Parsed,
  lines: LineCounter,
  file: string,
): string {
  let position: number | undefined;
  for (let depth = field.length; depth >= 0 && position === undefined; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(field.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      position = Number(node.range[0]);
  }
  const where = position === undefined ? '' : `, line ${lines.linePos(position).line}`;
  const what = code === 'invalid_value' || code === 'invalid_union' ? 'not one of the known values' : message;
  return `${file}${where}: ${field.join('.') || 'file'}: ${what}`;
}
