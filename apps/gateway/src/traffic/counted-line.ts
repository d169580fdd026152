/** A request that went past this program. */
export interface CountedLine {
  readonly host: string;
  /** Of the tunnel that the answer came through. */
  readonly tunnel: string;
  /** Null: the client went before there was an answer. */
  readonly status: number | null;
  readonly ms: number;
}

const HOST = /^\{"time":"[^"]*","host":"([^"]*)"/;
const REST = /"status":(\d+),"bytes":\d+,"seconds":([\d.]+),"tunnel":"([0-9a-z-]+)"\}$/;
/** nginx's own number for it. */
const CLIENT_GONE = 499;

/** A line of nginx's log; null: its request went through this program, or nowhere. What clients chose has no quotes of its own there. */
export function countedLine(line: string): CountedLine | null {
  const [, status, seconds, tunnel] = REST.exec(line) ?? [];
  const [, host] = HOST.exec(line) ?? [];
  if (host === undefined || tunnel === undefined) return null;
  return {
    host,
    tunnel,
    status: Number(status) === CLIENT_GONE ? null : Number(status),
    ms: Math.round(Number(seconds) * 1000),
  };
}
