const SHAPES = [
  ['VM.GPU.A10.1', 1],
  ['VM.GPU.A10.2', 2],
  ['BM.GPU.A10.4', 4],
] as const;

/** Oracle's lists with A10s at this price; all other shapes are not in them. */
export function oracleLists(usdPerGpu: number): (url: string) => string {
  const products = [
    {
      partNumber: 'B95909',
      currencyCodeLocalizations: [{ currencyCode: 'USD', prices: [{ model: 'PAY_AS_YOU_GO', value: usdPerGpu }] }],
    },
  ];
  const shapes = SHAPES.map(([name, count]) => ({
    name,
    status: 'ACTIVE',
    allowPreemptible: name.startsWith('VM'),
    gpuQty: count,
    shapeType: { value: name.slice(0, 2).toLowerCase() },
    subType: { value: 'gpu' },
    products: [{ partNumber: 'B95909', qty: count, type: { value: 'ocpu' } }],
  }));
  return (url) => JSON.stringify({ items: url.includes('shapes') ? shapes : products });
}
