/** A fresh UUID. Node's crypto costs 12 ms of a command's start: who only reads does not load it. */
export async function randomKey(): Promise<string> {
  const { randomUUID } = await import('node:crypto');
  return randomUUID();
}
