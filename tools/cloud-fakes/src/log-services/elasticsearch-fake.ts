import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpFake } from '../http/index.js';
import { OpenApiCheck } from '../spec/index.js';

export interface IndexedRecord {
  readonly message: string;
  readonly '@timestamp': string;
  readonly stream: string;
  readonly offset?: number;
}

interface Search {
  readonly size: number;
  readonly query?: { readonly bool: { readonly filter: readonly Filter[] } };
  readonly search_after?: readonly [number, number | null];
}

interface Filter {
  readonly range?: Readonly<Record<'@timestamp', { readonly gte: string; readonly lte: string }>>;
  readonly bool?: {
    readonly should: readonly { readonly term: Readonly<Record<string, { readonly value: string }>> }[];
  };
}

const MOST_HITS = 10_000;
const SEARCH = '/{index}/_search';

/** The search of Elasticsearch on one index, as far as logs are read by it. Whatever Elastic's own description does not allow, asked or answered, is in `violations`. */
export class ElasticsearchFake extends HttpFake {
  readonly index = 'dstack-logs';
  readonly apiKey = 'key-of-the-index';
  records: IndexedRecord[] = [];
  readonly violations: string[] = [];
  private readonly check = new OpenApiCheck(new URL('../../specs/elasticsearch-search.json', import.meta.url));
  /** Answered instead, as long as it is set. */
  failure: number | null = null;

  static start(): Promise<ElasticsearchFake> {
    return new ElasticsearchFake().listen();
  }

  protected serve(request: IncomingMessage, response: ServerResponse, text: string): void {
    const send = (status: number, body: object): void => {
      this.note(this.check.response('POST', SEARCH, status, body));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const refuse = (status: number, type: string): void => send(status, { error: { type, reason: type }, status });
    if (this.failure !== null) return refuse(this.failure, 'unavailable_shards_exception');
    if (request.headers.authorization !== `ApiKey ${this.apiKey}`) return refuse(401, 'security_exception');
    const body: unknown = JSON.parse(text);
    this.note(this.check.request('POST', SEARCH, body));
    if (request.url !== `/${this.index}/_search`) return refuse(404, 'index_not_found_exception');
    const search = body as Search; // what is missing in it is a violation already
    if (search.size > MOST_HITS) return refuse(400, 'illegal_argument_exception');
    const all = { total: 1, successful: 1, skipped: 0, failed: 0 };
    send(200, { took: 1, timed_out: false, _shards: all, hits: { max_score: null, hits: this.hits(search) } });
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }

  private hits({ size, query, search_after: after }: Search): object[] {
    const [times, stream] = query?.bool.filter ?? [];
    const range = times?.range?.['@timestamp'];
    const name = stream?.bool?.should
      .map(({ term }) => term['stream.keyword']?.value)
      .find((each) => each !== undefined);
    const found = this.records
      .map((record) => ({ record, sort: [Date.parse(record['@timestamp']), record.offset ?? null] as const }))
      .filter(({ record, sort: [at] }) => record.stream === name && at >= Number(range?.gte) && at <= Number(range?.lte))
      .sort((a, b) => a.sort[0] - b.sort[0] || (a.sort[1] ?? 0) - (b.sort[1] ?? 0))
      .filter(({ sort }) => after === undefined || sort[0] > after[0] || (sort[0] === after[0] && (sort[1] ?? 0) > (after[1] ?? 0))); // prettier-ignore
    return found.slice(0, size).map(({ record, sort }) => ({
      _index: this.index,
      _id: `${record.stream} ${record.offset}`,
      _score: null,
      _source: record,
      sort,
    }));
  }
}
