type Swagger = typeof import('@nestjs/swagger');

const waiting: ((swagger: Swagger) => void)[] = [];

/** What the OpenAPI document says of a method. Written down when the document is made: what makes it loads five hundred files. */
export function Described(decoratorsOf: (swagger: Swagger) => readonly MethodDecorator[]): MethodDecorator {
  return (target, key, descriptor) => {
    waiting.push((swagger) => {
      for (const decorate of decoratorsOf(swagger)) decorate(target, key, descriptor);
    });
  };
}

export function describeMethods(swagger: Swagger): void {
  for (const describe of waiting.splice(0)) describe(swagger);
}

/** Of an operation beyond the contract. */
export function DescribedAs(tag: string, summary: string, answer: string): MethodDecorator {
  return Described(({ ApiTags, ApiOperation, ApiOkResponse }) => [
    ApiTags(tag),
    ApiOperation({ summary }),
    ApiOkResponse({ description: answer }),
  ]);
}
