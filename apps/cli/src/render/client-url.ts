/** An address the server gave, absolute: a path is below the server. Pure. */
export function clientUrl(url: string, serverUrl: string): string {
  return url.startsWith('/') ? `${serverUrl}${url}` : url;
}

export interface ForwardedPort {
  readonly host: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** The job itself listens there: nothing is forwarded. */
  readonly isDirect: boolean;
}

const ADDRESS = /(https?:\/\/)(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::\]|\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})/g;

/** Addresses of the job's own ports, as the user reaches them. Bytes that are no address stay as they are. Pure. */
export function rewriteAddresses(bytes: Uint8Array, ports: readonly ForwardedPort[]): Uint8Array {
  if (ports.length === 0) return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!buffer.includes('http')) return bytes;
  // latin1 keeps every byte, whatever encoding the job prints in.
  const text = buffer.toString('latin1');
  const rewritten = text.replace(ADDRESS, (whole, scheme: string, _host: string, port: string) => {
    const forwarded = ports.find((each) => each.remotePort === Number(port));
    return forwarded ? `${scheme}${forwarded.host}:${forwarded.localPort}` : whole;
  });
  return rewritten === text ? bytes : Buffer.from(rewritten, 'latin1');
}
