import type { OpenAPIObject } from '@nestjs/swagger';

/** The operations at a glance; everything else is in the document it links to. Needs nothing from elsewhere. */
export function docsPage(document: OpenAPIObject): string {
  const rows = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, { operationId?: string; tags?: string[] }>).map(
      ([method, operation]) =>
        `<tr><td>${method.toUpperCase()}</td><td><code>${escapeHtml(path)}</code></td>` +
        `<td>${escapeHtml(operation.operationId ?? '')}</td><td>${escapeHtml((operation.tags ?? []).join(', '))}</td></tr>`,
    ),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>dstack API ${escapeHtml(document.info.version)}</title>
<style>body{font:15px system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}td{padding:.15rem .8rem .15rem 0;border-bottom:1px solid #8883}</style></head>
<body><h1>dstack API ${escapeHtml(document.info.version)}</h1><p>${rows.length} operations. <a href="/api/docs/openapi.json">OpenAPI document</a></p>
<table>${rows.join('\n')}</table></body></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
