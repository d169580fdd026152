const ADDRESS = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g;
/** This machine; unspecified addresses are it too, as Linux has it. */
const HERE = /^(127\.|0\.0\.0\.0$|::1$|::$|::ffff:127\.)/;

/** Where a program tried to send something that is not this machine, by what strace says of its calls; without repetitions. */
export function outsideAddresses(trace: string): string[] {
  const all = [...trace.matchAll(ADDRESS)].map(([, v4, v6]) => v4 ?? v6 ?? '');
  return [...new Set(all)].filter((address) => !HERE.test(address));
}
