import type { Duplex } from 'node:stream';

/** Each says to the other what it hears; when one is gone, the other is closed once all that came before has been delivered. */
export function joinStreams(a: Duplex, b: Duplex): Promise<void> {
  a.pipe(b);
  b.pipe(a);
  return Promise.all([closing(a, b), closing(b, a)]).then(() => undefined);
}

function closing(one: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    one.on('error', () => one.destroy());
    one.once('close', () => {
      if (!other.destroyed) other.end(() => other.destroy());
      resolve();
    });
  });
}
