/** At most four decimals, trailing zeros cut: `$1.006`, `$0.8`, `$0`. */
export function formatPrice(usd: number): string {
  return `$${trimmed(usd)}`;
}

export function trimmed(value: number): string {
  return value.toFixed(4).replace(/\.?0+$/, '');
}
