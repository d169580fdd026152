import ts from 'typescript';

export class SourceDoesNotParseError extends Error {
  override readonly name = 'SourceDoesNotParseError';
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  isolatedModules: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

/** As the build does it, but for one file alone. @throws {SourceDoesNotParseError} */
export function transpile(file: string, text: string): string {
  const { outputText, diagnostics } = ts.transpileModule(text, {
    fileName: file,
    compilerOptions: OPTIONS,
    reportDiagnostics: true,
  });
  const [first] = diagnostics ?? [];
  if (first !== undefined)
    throw new SourceDoesNotParseError(`${file}: ${ts.flattenDiagnosticMessageText(first.messageText, '\n')}`);
  return outputText;
}
