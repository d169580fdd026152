/** `us-central1-a` is in `us-central1`. */
export function regionOf(zone: string): string {
  return zone.replace(/-[^-]+$/, '');
}
