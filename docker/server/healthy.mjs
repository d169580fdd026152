// Whether requests may come here, for the engine's health check.
const port = process.env.DSTACK_SERVER_PORT ?? 3000;
const reply = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) }).catch(() => null);
process.exit(reply?.ok === true ? 0 : 1);
