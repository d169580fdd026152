/** A setting that cannot be meant; the message names the variable and what it takes. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
