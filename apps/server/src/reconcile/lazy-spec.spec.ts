import { withLazySpec } from './lazy-spec.js';
import { writeSealed } from './sealed-json.js';

interface Spec {
  readonly env: Readonly<Record<string, string>>;
}

function record(): { readonly row: { readonly id: string; readonly spec: Spec }; readonly opened: () => number } {
  let opened = 0;
  const sealing = {
    seal: (text: string) => text,
    open: (text: string) => {
      opened += 1;
      return text;
    },
  };
  const text = writeSealed({ sealing }, { env: { A: '1' } });
  return { row: withLazySpec<Spec, { id: string }>({ sealing }, text, { id: 'a' }), opened: () => opened };
}

describe('A specification that is read when it is looked at', () => {
  it('is what was written', () => {
    expect(record().row).toMatchObject({ id: 'a', spec: { env: { A: '1' } } });
  });

  it('is opened once, and not before', () => {
    const { row, opened } = record();
    expect(opened()).toBe(0);
    expect(row.spec).toBe(row.spec);
    expect(opened()).toBe(1);
  });

  it('comes along to a copy', () => {
    const { row } = record();
    expect({ ...row, id: 'b' }).toMatchObject({ id: 'b', spec: { env: { A: '1' } } });
  });
});
