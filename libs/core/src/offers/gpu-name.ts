import { knownAccelerator } from './known-accelerators.js';

// What drivers append to a product name: form factor, cooling, memory, edition.
const NOISE =
  /\b(PCIE?|SXM\d?|OAM|HBM\d?\w*|FHHL|DGXS|LHR|AC|SFF|compute mode|server edition|workstation edition|max-q|blackwell|generation|graphics|accelerator)\b/gi;

/**
 * The name users write for what a driver, a Kubernetes label or a catalogue calls the device: `NVIDIA A100-SXM4-80GB` → `A100`.
 * An unknown product keeps its own name without spaces, so it can still be asked for.
 */
export function normaliseGpuName(product: string): string {
  const words = product
    .replace(/[_]/g, ' ')
    .replace(/^geforce(?=[rg]tx)/i, '')
    .replace(/(\d|ti)LHR\b/i, '$1')
    .replace(/\b(NVIDIA|AMD|Tesla|GeForce|Instinct|Intel|Google|Tenstorrent|Wormhole|Blackhole)\b/gi, ' ')
    .replace(/\bQuadro\s+RTX[\s-]*8000\b/i, 'QRTX8000')
    .replace(/\bQuadro\b/gi, ' ')
    .trim();
  const special = specialName(words);
  if (special !== undefined) return special;
  const cleaned = words
    .replace(/\((.*?)\)/g, ' ')
    .replace(/\b\d+\s*GB\b/gi, ' ')
    .replace(/-/g, ' ')
    .replace(NOISE, ' ')
    .replace(/\bA(\d{4})\s+Ada\b/i, 'RTX$1Ada')
    .replace(/\bRTX\s*A(\d{4})\b/i, 'A$1')
    .replace(/\bRTX\s*(\d{4})S(\s+Ti)?\b/i, 'RTX$1$2 SUPER')
    .replace(/^7900\s*XTX\b/i, 'RX7900XTX')
    .replace(/\s+/g, ' ')
    .trim();
  return longestKnownPrefix(cleaned.split(' ')) ?? product.replace(/\s+/g, '');
}

function specialName(words: string): string | undefined {
  const gaudi = /\bHL-?(\d)/i.exec(words)?.[1];
  if (gaudi === '3') return 'Gaudi3';
  if (gaudi === '2') return /\bHL-?20/i.test(words) ? 'Gaudi' : 'Gaudi2';
  const [, tpu] = /^(?:tpu[-\s])?(?:v5e|v5litepod)-(\d+)$/i.exec(words) ?? [];
  if (tpu !== undefined) return `v5litepod-${tpu}`;
  const exact = knownAccelerator(words.replace(/\s+/g, '-'))?.name;
  return exact;
}

// Glued from the left, so that `RTX 4070 Ti SUPER` is not taken for a 4070, nor `H100 NVL` for an H100.
function longestKnownPrefix(words: readonly string[]): string | undefined {
  for (let start = 0; start < words.length; start += 1) {
    for (let end = words.length; end > start; end -= 1) {
      const name = knownAccelerator(words.slice(start, end).join(''))?.name;
      if (name !== undefined) return name;
    }
  }
  return undefined;
}

const SNAP_TOLERANCE = 0.07;

/** Drivers report a little less than advertised: within 7 % of a known size of that name it is that size, else rounded. */
export function snapGpuMemoryGb(name: string, reportedMib: number): number {
  const reportedGb = reportedMib / 1024;
  const sizes = knownAccelerator(name)?.memoryGb ?? [];
  const closest = [...sizes].sort((a, b) => Math.abs(a - reportedGb) - Math.abs(b - reportedGb))[0];
  if (closest !== undefined && Math.abs(closest - reportedGb) < closest * SNAP_TOLERANCE) return closest;
  return Math.round(reportedGb);
}
