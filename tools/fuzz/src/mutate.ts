import fc from 'fast-check';
import { junk } from './junk.js';

const CHOICES = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('put', 'drop', 'rename', 'repeat') },
  { weight: 1, arbitrary: fc.constant('flood' as const) },
);

/** The value with one or two places changed: junk put in, a key renamed, something left out, something repeated, a list made very long. */
export function mutated(value: unknown): fc.Arbitrary<unknown> {
  return fc
    .array(fc.record({ place: fc.nat(), change: CHOICES, junk }), {
      minLength: 1,
      maxLength: 2,
    })
    .map((changes) =>
      changes.reduce<unknown>((current, { place, change: kind, junk: what }) => {
        const places = placesIn(current);
        const path = places[place % places.length] ?? [];
        return CHANGES[kind](current, path, what);
      }, value),
    );
}

type Path = readonly string[];

/** The value with something else in one place. */
export function put(value: unknown, path: Path, what: unknown): unknown {
  return CHANGES.put(value, path, what);
}

/** Every place in a value, the value itself first. */
export function placesIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || at.length > 12) return [at];
  return [at, ...Object.entries(value).flatMap(([key, child]) => placesIn(child, [...at, key]))];
}

const CHANGES = {
  put: (value: unknown, path: Path, what: unknown): unknown =>
    change(value, path, (entries, key) => entries.map((entry) => (entry[0] === key ? [key, what] : entry)), what),
  drop: (value: unknown, path: Path): unknown =>
    change(value, path, (entries, key) => entries.filter((entry) => entry[0] !== key), null),
  rename: (value: unknown, path: Path, what: unknown): unknown =>
    change(
      value,
      path,
      (entries, key) =>
        entries.map((entry) =>
          entry[0] === key ? [`${key}${typeof what === 'string' ? what.slice(0, 20) : 'x'}`, entry[1]] : entry,
        ),
      {},
    ),
  repeat: (value: unknown, path: Path): unknown =>
    change(
      value,
      path,
      (entries, key) => entries.flatMap((entry) => (entry[0] === key ? [entry, [`${key}2`, entry[1]]] : [entry])),
      [],
    ),
  flood: (value: unknown, path: Path): unknown =>
    change(
      value,
      path,
      (entries, key) => entries.map((entry) => (entry[0] === key ? [key, flooded(entry[1])] : entry)),
      [],
    ),
} as const;

const FLOOD = 40_000;

/** Small things only: the whole must stay below what the server takes. */
function flooded(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, 25).repeat(FLOOD);
  if (!Array.isArray(value) || JSON.stringify(value).length > 200) return value;
  return Array.from({ length: FLOOD }, (_item, index) => value[index % Math.max(value.length, 1)] as unknown);
}

type Entries = (readonly [string, unknown])[];

function change(
  value: unknown,
  [key, ...rest]: Path,
  edit: (entries: Entries, key: string) => Entries,
  root: unknown,
): unknown {
  if (key === undefined) return root;
  if (typeof value !== 'object' || value === null) return root;
  const entries: Entries = Object.entries(value);
  const changed =
    rest.length === 0
      ? edit(entries, key)
      : entries.map((entry) => (entry[0] === key ? ([key, change(entry[1], rest, edit, root)] as const) : entry));
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}
