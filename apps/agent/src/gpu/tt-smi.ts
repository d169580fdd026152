import { z } from 'zod';
import { driverField, type FoundGpu, type FoundGpus } from './found-gpus.js';
import { parseToolJson, toolValue } from './tool-value.js';

export const TENSTORRENT_LIST_ARGS = ['-s'] as const;

const printed = z.object({
  device_info: z.array(
    z.object({
      board_info: z.object({ bus_id: z.string().optional(), board_type: z.string(), board_id: z.string().optional() }),
    }),
  ),
});

/** GiB on one chip, by board. */
const CHIP_GIB: ReadonlyMap<string, number> = new Map([
  ['n150', 12],
  ['n300', 12],
  ['tt-galaxy-wh', 12],
  ['p100a', 28],
  ['p150', 32],
  ['p300', 32],
  ['tt-galaxy-bh', 32],
]);

/**
 * One GPU per board: the chips left and right (`n300 L`, `n300 R`) are one thing to buy and to use. The device nodes count the chips that
 * hang on PCI; a board with two of them is locked by both numbers (`0,1`).
 */
export function parseTenstorrentList(text: string, driverVersion: string | undefined): FoundGpus {
  const parsed = printed.safeParse(parseToolJson(text));
  if (!parsed.success) return { gpus: [], problems: ['tt-smi did not print its snapshot'] };
  const boards = new Map<string, { name: string; chips: number; nodes: number[] }>();
  const problems: string[] = [];
  let nextNode = 0;
  parsed.data.device_info.forEach(({ board_info: board }, position) => {
    const onPci = toolValue(board.bus_id) !== undefined;
    const node = onPci ? nextNode++ : undefined;
    const name = boardName(board.board_type);
    if (name === undefined) {
      problems.push(`tt-smi: the board type "${board.board_type}" is not known`);
      return;
    }
    const isPart = /\s[LR]$/i.test(board.board_type.trim());
    const boardId = toolValue(board.board_id);
    const key = isPart && boardId !== undefined && !name.startsWith('tt-galaxy') ? boardId : `chip ${position}`;
    const known = boards.get(key) ?? { name, chips: 0, nodes: [] };
    known.chips++;
    if (node !== undefined) known.nodes.push(node);
    boards.set(key, known);
  });
  const gpus: FoundGpu[] = [];
  for (const { name, chips, nodes } of boards.values()) {
    const [first] = nodes;
    if (first === undefined) {
      problems.push(`tt-smi: a ${name} has no chip on PCI`);
      continue;
    }
    gpus.push({
      vendor: 'tenstorrent',
      name,
      memoryMib: (CHIP_GIB.get(name) ?? 0) * chips * 1024,
      lockId: nodes.join(','),
      ...driverField(toolValue(driverVersion)),
      toolIndex: first,
    });
  }
  return { gpus, problems };
}

/** `n300 L` → `n300`, `p150b` → `p150`. */
function boardName(type: string): string | undefined {
  const plain = type
    .trim()
    .toLowerCase()
    .replace(/\s+[lr]$/, '');
  if (CHIP_GIB.has(plain)) return plain;
  const family = plain.replace(/[a-z]$/, '');
  return CHIP_GIB.has(family) ? family : undefined;
}
