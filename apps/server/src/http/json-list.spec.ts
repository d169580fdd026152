import { JsonList } from './json-list.js';

it.each([[[]], [['{"a":1}']], [['{"a":"zwölf ✓"}', '2', '"x"']]])('is the JSON of a list: %j', (items) => {
  const values: unknown[] = items.map((item): unknown => JSON.parse(item));
  const list = new JsonList(items);
  expect(JSON.parse(list.bytes().toString('utf8'))).toEqual(values);
  expect(list.values()).toEqual(values);
});
