const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|([{}[\]:,]))/y;

/** The value that a GraphQL literal stands for; names of enumerations become texts. @throws {SyntaxError} */
export function readLiteral(text: string): unknown {
  let json = '';
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const [, string, number, name, mark] = TOKEN.exec(text) ?? [];
    const isKeyword = name === 'true' || name === 'false' || name === 'null';
    const token = string ?? number ?? mark ?? (isKeyword ? name : name && JSON.stringify(name));
    if (token === undefined) throw new SyntaxError(`Unexpected ${text.slice(at, at + 40)}`);
    json += token;
  }
  return JSON.parse(json);
}
