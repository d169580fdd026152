/** One profile of `~/.oci/config`; what it lacks is taken from `DEFAULT`. Null: there is no such profile. */
export function readProfile(text: string, profile: string): ReadonlyMap<string, string> | null {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | null = null;
  for (const line of text.split(/\r?\n/)) {
    const name = /^\s*\[([^\]]+)\]\s*$/.exec(line)?.[1]?.trim();
    const [, key, value] = /^\s*([^#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) profiles.set(name, (current = profiles.get(name) ?? new Map<string, string>()));
    else if (key !== undefined && value !== undefined) current?.set(key, value);
  }
  const found = profiles.get(profile);
  if (found === undefined) return null;
  return new Map([...(profiles.get('DEFAULT') ?? []), ...found]);
}
