import { type Json, unknownOrForbidden } from './oci-refusal.js';
import type { RegionQuestion } from './oci-region.js';

const LISTINGS = ['dstack-cuda-0.14', 'dstack-cuda-0.10', 'dstack-cuda-0.14-beta'];

/** Community listings with one image and one agreement each. The search is not exact, as the real one is not. */
export class OciMarketplace {
  /** `<compartment> <listing>`, once accepted. */
  readonly accepted = new Set<string>();

  /** @throws {OciRefusal} */
  answer({ key, parts: [listing = ''], query, body }: RegionQuestion): unknown {
    const version = '1.0';
    switch (key) {
      case 'GET /20181001/listings':
        return LISTINGS.filter((name) => name.startsWith(query.get('name') ?? '')).map((name) => ({
          id: `listing-${name}`,
          name,
          packageType: 'IMAGE',
          listingType: 'COMMUNITY',
        }));
      case 'GET /20181001/listings/{listingId}':
        if (!LISTINGS.includes(listing.replace(/^listing-/, ''))) throw unknownOrForbidden(listing);
        return { id: listing, name: listing.replace(/^listing-/, ''), defaultPackageVersion: version };
      case 'GET /20181001/listings/{listingId}/packages/{packageVersion}':
        return { listingId: listing, version, packageType: 'IMAGE', imageId: `ocid1.image.oc1..${listing}` };
      case 'GET /20181001/listings/{listingId}/packages/{packageVersion}/agreements':
        return [{ id: 'terms', author: 'ORACLE' }];
      case 'GET /20181001/listings/{listingId}/packages/{packageVersion}/agreements/{agreementId}':
        return { id: 'terms', contentUrl: 'https://example.com/terms', signature: 'signed' };
      case 'GET /20181001/acceptedAgreements': {
        const isAccepted = this.accepted.has(`${query.get('compartmentId')} ${query.get('listingId')}`);
        return isAccepted ? [{ id: 'accepted', agreementId: 'terms' }] : [];
      }
      default:
        return this.accept(body);
    }
  }

  isAccepted(compartmentId: unknown, imageId: string): boolean {
    const listing = imageId.replace('ocid1.image.oc1..', '');
    return !listing.startsWith('listing-') || this.accepted.has(`${String(compartmentId)} ${listing}`);
  }

  private accept({ compartmentId, listingId, packageVersion, agreementId, signature }: Json): object {
    if (signature !== 'signed') throw unknownOrForbidden('signature');
    this.accepted.add(`${String(compartmentId)} ${String(listingId)}`);
    return { id: 'accepted', compartmentId, listingId, packageVersion, agreementId, displayName: 'terms', timeAccepted: new Date().toISOString() }; // prettier-ignore
  }
}
