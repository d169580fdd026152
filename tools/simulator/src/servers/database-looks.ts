import type { SqliteConnection } from '@dstack/server/parts';

/** What the world outside has to know of the rows. */
export class DatabaseLooks {
  constructor(private readonly connection: SqliteConnection) {}

  /** Of a log: how many bytes are stored. */
  durableEnd(jobId: string, stream: string): number {
    const [row] = this.query<{ end_offset: number }>(
      'SELECT end_offset FROM log_streams WHERE job_id = ? AND stream = ?',
      jobId,
      stream,
    );
    return row?.end_offset ?? 0;
  }

  /** Of an instance that is a host somebody gave. */
  hostOf(instanceId: string): string {
    const [row] = this.query<{ host_name: string | null }>('SELECT host_name FROM instances WHERE id = ?', instanceId);
    return row?.host_name ?? '';
  }

  /** The machine of a gateway's replica, or its host. */
  placeOfGateway(replicaId: string): string | null {
    const [row] = this.query<{ place: string | null }>(
      `SELECT COALESCE(host_name, json_extract(machine, '$.ref.machineId')) AS place FROM gateway_replicas WHERE id = ?`,
      replicaId,
    );
    return row?.place ?? null;
  }

  private query<Row extends object>(sql: string, ...params: unknown[]): Row[] {
    return this.connection.prepare(sql).all(...params) as Row[]; // as the migrations shape them
  }
}
