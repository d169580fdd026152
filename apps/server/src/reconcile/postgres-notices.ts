import pg from 'pg';
import type { Notices, RelayedNotice, Topic } from './notices.js';

const CHANNEL = 'dstack_notices';
/** Notices of one burst become one message per topic. */
const COALESCE_MS = 20;
/** Of at most 50 characters, in a message of at most 8,000. */
const WORDS_PER_MESSAGE = 100;
const REPLICAS = 'replicas:';
const RECONNECT_MS = 2_000;

/** Between us and Postgres a pooler gives each transaction another connection, so that what one listens for reaches nobody. */
class PooledError extends Error {
  override readonly name = 'PooledError';
  constructor() {
    super(
      'a pooler is between this server and Postgres, so rows are looked for every second. Set DSTACK_DATABASE_LISTEN_URL to Postgres itself, or to none',
    );
  }
}

/** A pooler tells a process number of its own making at login. */
async function refusePooler(client: pg.Client): Promise<void> {
  const { processID } = client as pg.Client & { readonly processID: number | null };
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  if (rows[0]?.pid !== processID) throw new PooledError();
}

export interface NoticeRelay {
  stop(): Promise<void>;
}

/** Carries notices between replicas. What is lost here the sweep finds, so errors are told and nothing more. */
export async function relayNotices(
  url: string,
  notices: Notices,
  onError: (error: unknown) => void,
): Promise<NoticeRelay> {
  const pending = new Set<string>();
  let flush: NodeJS.Timeout | null = null;
  let reconnect: NodeJS.Timeout | null = null;
  let client: pg.Client | null = null;
  let sending: Promise<void> = Promise.resolve();
  let isStopped = false;

  const connect = async (): Promise<void> => {
    const own = new pg.Client({ connectionString: url });
    own.on('error', (error) => {
      if (isStopped) return;
      client = null;
      notices.hearReplicas(false);
      onError(error);
      again();
    });
    own.on('notification', ({ payload }) => {
      for (const word of (payload ?? '').split(',')) notices.deliver(fromWord(word));
    });
    await own.connect();
    try {
      await refusePooler(own);
      await own.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      await own.end().catch(() => undefined);
      throw error;
    }
    client = own;
    notices.hearReplicas(true);
  };
  const failed = (error: unknown): void => {
    notices.hearReplicas(false);
    onError(error);
    // What is in between does not go away by asking again.
    if (!(error instanceof PooledError)) again();
  };
  const again = (): void => {
    if (isStopped || reconnect !== null) return;
    reconnect = setTimeout(() => {
      reconnect = null;
      connect().catch(failed);
    }, RECONNECT_MS);
  };
  const send = (): void => {
    flush = null;
    const words = [...pending];
    pending.clear();
    // One after the other: a client takes one statement at a time.
    for (let at = 0; at < words.length; at += WORDS_PER_MESSAGE) {
      const payload = words.slice(at, at + WORDS_PER_MESSAGE).join(',');
      sending = sending
        .then(() => client?.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]))
        .then(() => undefined)
        .catch((error: unknown) => {
          // A notice cut off by the stop itself is nobody's loss: whoever stops writes no more.
          if (!isStopped) onError(error);
        });
    }
  };
  const stopRelay = notices.relayTo((notice) => {
    pending.add(toWord(notice));
    flush ??= setTimeout(send, COALESCE_MS);
  });
  await connect().catch(failed);
  return {
    stop: async () => {
      isStopped = true;
      stopRelay();
      if (flush !== null) clearTimeout(flush);
      if (reconnect !== null) clearTimeout(reconnect);
      await client?.end().catch(() => undefined);
    },
  };
}

function toWord(notice: RelayedNotice): string {
  return 'topic' in notice ? notice.topic : REPLICAS + notice.replicasOf;
}

function fromWord(word: string): RelayedNotice {
  if (word.startsWith(REPLICAS)) return { replicasOf: word.slice(REPLICAS.length) };
  return { topic: word as Topic }; // written by `toWord`
}
