import { JsonList, type JsonText } from './json-list.js';

const ONE: JsonText[] = [['{"a":1}']];
const SOME: JsonText[] = [['{"a":"zwölf ✓"}'], ['2'], ['"x"']];
const IN_PIECES: JsonText[] = [['{"a":', Buffer.from('"zwölf ✓"'), ',"b":2}'], [Buffer.from('[3]')]];

it.each([[[]], [ONE], [SOME], [IN_PIECES]])('is the JSON of a list: %j', (items: JsonText[]) => {
  const values: unknown[] = items.map((item): unknown => JSON.parse(item.join('')));
  const list = new JsonList(items);
  expect(JSON.parse(list.bytes().toString('utf8'))).toEqual(values);
  expect(list.values()).toEqual(values);
});
