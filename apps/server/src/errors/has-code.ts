/** By shape, not by class: errors of Node and of add-ons may come from another realm. */
export function hasCode(error: unknown, code: string): error is { readonly code: string; readonly message: string } {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
