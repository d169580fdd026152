import { once } from 'node:events';
import { PacketSplitter } from './packet-splitter.js';
import { SftpSession } from './sftp-session.js';

/** Serves SFTP on stdin and stdout until the client is done. */
export async function runSftp(home: string): Promise<void> {
  const session = new SftpSession(home, Date.now);
  const splitter = new PacketSplitter();
  process.stdout.on('error', () => {
    process.exit(1);
  });
  for await (const chunk of process.stdin) {
    for (const packet of splitter.push(chunk as Buffer)) {
      const reply = session.answer(packet);
      if (!process.stdout.write(reply)) await once(process.stdout, 'drain');
    }
  }
}
