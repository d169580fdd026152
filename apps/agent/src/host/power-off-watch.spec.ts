import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PowerOffWatch } from './power-off-watch.js';

/** A clock that jumps by an hour at every look, and a host that is asked whether it is busy. */
class Host {
  looks = 0;
  isBusy = true;
  offs = 0;
  readonly dir = mkdtempSync(join(tmpdir(), 'watch-'));

  open(): Promise<PowerOffWatch> {
    return PowerOffWatch.open({
      path: join(this.dir, 'power-off.json'),
      uptime: async () => ({ bootId: 'a', seconds: (this.looks += 1) * 3600 }),
      isBusy: () => this.isBusy,
      powerOff: async () => {
        this.offs += 1;
      },
      log: () => undefined,
    });
  }

  /** Until it has looked a few more times. */
  async ticks(): Promise<void> {
    const until = this.looks + 3;
    while (this.looks < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('is not powered off under a job, nor while a server is connected, however long that is', async () => {
  const host = new Host();
  const watch = await host.open();
  await watch.arm(0.4);
  await host.ticks();
  host.isBusy = false;
  const leave = watch.enter();
  await host.ticks();
  expect(host.offs).toBe(0);
  leave();
  await host.ticks();
  expect(host.offs).toBeGreaterThan(0);
  watch.stop();
  rmSync(host.dir, { recursive: true });
});
