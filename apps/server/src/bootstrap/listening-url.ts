/** The URL to tell people: with port 0 the system chose the port, so it is known only once the server listens. */
export function listeningUrl(configuredUrl: string, chosenPort: number): string {
  return configuredUrl.endsWith(':0') ? `${configuredUrl.slice(0, -1)}${chosenPort}` : configuredUrl;
}
