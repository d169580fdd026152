import { z } from 'zod';
import { type FoundEvent, LogSinkError, type SegmentRange } from './log-sink.js';

export interface ElasticsearchOptions {
  /** `http(s)://[user:password@]host[:port][/path]`; a bare host is taken as http. */
  readonly host: string;
  readonly index: string;
  readonly apiKey: string | undefined;
}

/** As many as one answer may hold (index.max_result_window). */
const PAGE_HITS = 10_000;
const REQUEST_MS = 20_000;

const answer = z.object({
  hits: z.object({
    hits: z.array(
      z.object({
        _source: z.object({ message: z.string(), '@timestamp': z.string(), offset: z.number().optional() }),
        sort: z.array(z.unknown()).optional(),
      }),
    ),
  }),
});

/** Reads what Fluent Bit has put into an index of Elasticsearch or OpenSearch. */
export class ElasticsearchReader {
  private readonly url: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(private readonly options: ElasticsearchOptions) {
    const given = new URL(/^https?:\/\//.test(options.host) ? options.host : `http://${options.host}`);
    const { username, password } = given;
    given.username = '';
    given.password = '';
    this.url = `${given.href.replace(/\/+$/, '')}/${encodeURIComponent(options.index)}`;
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
    this.headers = {
      'content-type': 'application/json',
      ...(username === '' ? {} : { authorization: `Basic ${basic}` }),
      ...(options.apiKey === undefined ? {} : { authorization: `ApiKey ${options.apiKey}` }),
    };
  }

  /** An index that is not there yet is none that was written to. */
  async check(): Promise<void> {
    await this.search({ size: 0 });
  }

  async read(stream: string, { firstAt, lastAt }: SegmentRange): Promise<readonly FoundEvent[]> {
    const found: FoundEvent[] = [];
    let searchAfter: readonly unknown[] | undefined;
    do {
      const hits = await this.search({
        size: PAGE_HITS,
        _source: { includes: ['message', '@timestamp', 'offset'] },
        query: { bool: { filter: [{ range: { '@timestamp': between(firstAt, lastAt) } }, ofStream(stream)] } },
        sort: [{ '@timestamp': { order: 'asc' } }, { offset: { order: 'asc', unmapped_type: 'long' } }],
        ...(searchAfter === undefined ? {} : { search_after: searchAfter }),
      });
      for (const { _source: source } of hits) {
        const { message: text, offset } = source;
        found.push({ at: Date.parse(source['@timestamp']), text, ...(offset === undefined ? {} : { offset }) });
      }
      searchAfter = hits.length === PAGE_HITS ? hits.at(-1)?.sort : undefined;
    } while (searchAfter !== undefined);
    return found;
  }

  private async search(body: unknown): Promise<z.infer<typeof answer>['hits']['hits']> {
    const response = await fetch(`${this.url}/_search`, {
      method: 'POST',
      headers: this.headers,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    }).catch((error: unknown) => {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new LogSinkError('outage', `Elasticsearch does not answer: ${reason}`, { cause: error });
    });
    if (response.status === 404) return [];
    if (response.ok) return answer.parse(await response.json()).hits.hits;
    await response.body?.cancel();
    const isForbidden = response.status === 401 || response.status === 403;
    throw new LogSinkError(
      isForbidden ? 'configuration' : 'outage',
      isForbidden
        ? `Elasticsearch does not let this server read the index "${this.options.index}": look at DSTACK_SERVER_ELASTICSEARCH_API_KEY`
        : `Elasticsearch answers with HTTP ${response.status}`,
    );
  }
}

/** As a keyword, or as the text with a keyword that Elasticsearch makes of a field by itself. */
function ofStream(stream: string): object {
  const should = [{ term: { 'stream.keyword': { value: stream } } }, { term: { stream: { value: stream } } }];
  return { bool: { should, minimum_should_match: 1 } };
}

function between(from: number, until: number): object {
  return { gte: String(from), lte: String(until), format: 'epoch_millis' };
}
