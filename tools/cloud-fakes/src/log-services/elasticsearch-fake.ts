import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpFake } from '../http/index.js';

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
  readonly range?: Readonly<Record<'@timestamp', { readonly gte: number; readonly lte: number }>>;
  readonly bool?: { readonly should: readonly { readonly term: Readonly<Record<string, string>> }[] };
}

const MOST_HITS = 10_000;

/** The search of Elasticsearch 8 on one index, as far as logs are read by it; a query of any other form is refused. */
export class ElasticsearchFake extends HttpFake {
  readonly index = 'dstack-logs';
  readonly apiKey = 'key-of-the-index';
  records: IndexedRecord[] = [];
  /** Answered instead, as long as it is set. */
  failure: number | null = null;

  static start(): Promise<ElasticsearchFake> {
    return new ElasticsearchFake().listen();
  }

  protected serve(request: IncomingMessage, response: ServerResponse, text: string): void {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (this.failure !== null) return send(this.failure, { error: { type: 'unavailable' }, status: this.failure });
    if (request.headers.authorization !== `ApiKey ${this.apiKey}`)
      return send(401, { error: { type: 'security_exception' }, status: 401 });
    if (request.url !== `/${this.index}/_search`)
      return send(404, { error: { type: 'index_not_found_exception' }, status: 404 });
    const search = JSON.parse(text) as Search; // what is missing in it fails below
    if (search.size > MOST_HITS) return send(400, { error: { type: 'illegal_argument_exception' }, status: 400 });
    send(200, { took: 1, timed_out: false, hits: { hits: this.hits(search) } });
  }

  private hits({ size, query, search_after: after }: Search): object[] {
    const [times, stream] = query?.bool.filter ?? [];
    const range = times?.range?.['@timestamp'];
    const name = stream?.bool?.should.map(({ term }) => term['stream.keyword']).find((each) => each !== undefined);
    const found = this.records
      .map((record) => ({ record, sort: [Date.parse(record['@timestamp']), record.offset ?? null] as const }))
      .filter(({ record, sort: [at] }) => record.stream === name && at >= (range?.gte ?? 0) && at <= (range?.lte ?? 0))
      .sort((a, b) => a.sort[0] - b.sort[0] || (a.sort[1] ?? 0) - (b.sort[1] ?? 0))
      .filter(({ sort }) => after === undefined || sort[0] > after[0] || (sort[0] === after[0] && (sort[1] ?? 0) > (after[1] ?? 0))); // prettier-ignore
    return found.slice(0, size).map(({ record, sort }) => ({ _index: this.index, _source: record, sort }));
  }
}
