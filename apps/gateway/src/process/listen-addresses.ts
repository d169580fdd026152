import { createServer } from 'node:net';

/** Every address of the machine, IPv6 where it has it. */
export async function listenAddresses(): Promise<string[]> {
  const hasV6 = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '::', port: 0 }, () => server.close(() => resolve(true)));
  });
  return hasV6 ? ['0.0.0.0', '[::]'] : ['0.0.0.0'];
}
