import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { API_VERSION } from '../http/client-version.js';
import { CONTRACT_SCHEMAS } from '../http/contract.js';
import { describeMethods } from '../http/described.js';

/** Read from the controllers; the schemas they name are the contract's. */
export async function describeApi(app: INestApplication): Promise<OpenAPIObject> {
  const swagger = await import('@nestjs/swagger');
  describeMethods(swagger);
  const config = new swagger.DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('dstack')
    .setVersion(API_VERSION)
    .addBearerAuth()
    .build();
  const document = swagger.SwaggerModule.createDocument(app, config);
  const schemas = CONTRACT_SCHEMAS as NonNullable<OpenAPIObject['components']>['schemas'];
  return {
    ...document,
    components: { ...document.components, schemas: { ...schemas, ...document.components?.schemas } },
  };
}
