/** Why a replica took no connection, from what OpenSSH's client says; null: it says nothing of that. */
export function refusalOf(said: string): string | null {
  return /^channel \d+: open failed: (.*?)\r?$/m.exec(said)?.[1] ?? null;
}
