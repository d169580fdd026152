import { DATA_CENTERS, GPUS } from './runpod-catalog.js';

/** As it is spelt where it is asked for. */
const FIELD =
  /(\w+): gpuTypes \{ id lowestPrice\(input: \{gpuCount: (\d+), secureCloud: (true|false), (dataCenterId|countryCode): "([\w-]+)"\}\) \{ minimumBidPrice \} \}/g;
const SHARE = 0.5;

/**
 * `minimumBidPrice` of GraphQL's `gpuTypes`, for as many places as are asked about; a text: what is wrong with the question. In the first
 * data center half of the price is enough, elsewhere nobody may bid.
 */
export function answerBids(query: string): Readonly<Record<string, object[]>> | string {
  const inside = /^query \{ (.*) \}$/.exec(query.trim())?.[1] ?? '';
  const rest = inside.replaceAll(FIELD, '').trim();
  if (inside === '' || rest !== '') return `Syntax Error: Unexpected ${rest.slice(0, 40)}`;
  const answers = [...inside.matchAll(FIELD)].map(([, alias = '', , isSecure, , place = '']) => {
    const types = GPUS.map(({ id, price }) => {
      const full = isSecure === 'true' ? price.secure : price.community;
      const isFor = isSecure === 'true' ? place === DATA_CENTERS[0] : full > 0;
      return { id, lowestPrice: { minimumBidPrice: isFor ? full * SHARE : null } };
    });
    return [alias, types] as const;
  });
  return Object.fromEntries(answers);
}
