/** The body of a form with one file, as the upload routes take it. Not `FormData`: touching that loads Node's whole fetch. */
export class FormBody {
  readonly contentType: string;
  readonly bytes: Buffer;

  /** @param name the file's; no quotes or line breaks */
  constructor(field: string, name: string, content: Uint8Array, boundary: string) {
    const head = [
      `--${boundary}`,
      `Content-Disposition: form-data; name="${field}"; filename="${name}"`,
      'Content-Type: application/octet-stream',
    ];
    this.contentType = `multipart/form-data; boundary=${boundary}`;
    this.bytes = Buffer.concat([
      Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
  }
}
