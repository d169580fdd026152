import { GoogleRefusal } from '../gcp/google-refusal.js';
import { type GoogleAnswer, type GoogleAsked, GoogleServiceFake } from './google-service-fake.js';

/** Cloud Storage v1 with one bucket: objects are uploaded whole, read and deleted. */
export class GoogleStorageFake extends GoogleServiceFake {
  readonly bucket = 'fake-bucket';
  readonly objects = new Map<string, Buffer>();

  static start(): Promise<GoogleStorageFake> {
    return new GoogleStorageFake(new URL('../../specs/gcp-storage-v1.json', import.meta.url)).listen();
  }

  protected answer({ method, parameters, query, bytes }: GoogleAsked): GoogleAnswer {
    if (parameters.get('bucket') !== this.bucket)
      throw new GoogleRefusal(404, 'notFound', 'The specified bucket does not exist.');
    if (method === 'buckets.get') return { kind: 'storage#bucket', name: this.bucket };
    const name = method === 'objects.insert' ? (query.get('name') ?? '') : (parameters.get('object') ?? '');
    if (method === 'objects.insert') {
      if (query.get('uploadType') !== 'media') throw new GoogleRefusal(400, 'invalid', 'Unknown upload type');
      this.objects.set(name, bytes);
      return { kind: 'storage#object', name, bucket: this.bucket, size: String(bytes.length) };
    }
    const content = this.objects.get(name);
    if (content === undefined) throw new GoogleRefusal(404, 'notFound', `No such object: ${this.bucket}/${name}`);
    if (method === 'objects.delete') {
      this.objects.delete(name);
      return null;
    }
    return query.get('alt') === 'media'
      ? content
      : { kind: 'storage#object', name, bucket: this.bucket, size: String(content.length) };
  }
}
