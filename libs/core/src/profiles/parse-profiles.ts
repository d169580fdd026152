import { type ParsedText, type TextSource, parseText } from '../configuration/parse-configuration.js';
import { schemaIssue } from '../configuration/issue.js';
import { runSchema } from '../configuration/schema/run-schema.js';
import { once } from '../configuration/schema/once.js';
import type * as Wire from '../wire/generated/api.js';
import { profilesFileSchema } from './profile-parameters.js';

const schema = once(profilesFileSchema);

export interface ProfilesFile {
  readonly profiles: readonly Wire.Profile[];
}

/** Parses `.dstack/profiles.yml`. @throws {ConfigurationError} and nothing else. */
export function parseProfilesText(input: Uint8Array | string, { file }: TextSource): ParsedText<ProfilesFile> {
  return parseText(input, file, (value) => {
    const parsed = runSchema(schema(), value);
    if (!parsed.ok) return parsed;
    const names = parsed.value.profiles.map((profile) => profile.name ?? '');
    const repeated = names.flatMap((name, index) =>
      names.indexOf(name) === index
        ? []
        : [schemaIssue(['profiles', index, 'name'], `duplicate profile name "${name}"`)],
    );
    return repeated.length === 0 ? parsed : { ok: false, issues: repeated };
  });
}
