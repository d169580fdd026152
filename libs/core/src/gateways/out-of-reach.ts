/** Where no gateway comes to: the server's own machine, which may be behind anything. */
export const OUT_OF_REACH: readonly string[] = ['local'];

/** @param backends what the service may run on; none: whatever there is. Null: a gateway may reach its replicas */
export function whyOutOfReach(gateway: string, backends: readonly string[]): string | null {
  if (backends.length === 0 || backends.some((backend) => !OUT_OF_REACH.includes(backend))) return null;
  return (
    `Gateway ${gateway} reaches no replica on ${backends.join(', ')}. Set \`gateway: false\` to have the service at the address of the server, ` +
    'or let it run on a fleet of hosts or on a cloud'
  );
}
