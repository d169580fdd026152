import { z } from 'zod';

/** What is used of Oracle's answers. */
const named = z.object({ id: z.string(), displayName: z.string().nullish(), lifecycleState: z.string() });

export const instance = named.extend({
  availabilityDomain: z.string(),
  compartmentId: z.string(),
  shape: z.string(),
  freeformTags: z.record(z.string(), z.string()).nullish(),
  timeCreated: z.string(),
});
export const vnicAttachment = z.object({ lifecycleState: z.string(), vnicId: z.string().nullish() });
export const vnic = z.object({ publicIp: z.string().nullish(), privateIp: z.string().nullish() });
export const shape = z.object({ shape: z.string(), quotaNames: z.array(z.string()).nullish() });
export const capacityReport = z.object({
  shapeAvailabilities: z.array(
    z.object({ instanceShape: z.string().nullish(), availabilityStatus: z.string().nullish() }),
  ),
});
export const image = z.object({ id: z.string(), displayName: z.string().nullish() });
export const vcn = named.extend({ defaultRouteTableId: z.string().nullish() });
export const networkPart = named;
export const routeTable = z.object({
  // Whole, since all of them are written back.
  routeRules: z.array(z.looseObject({ destination: z.string().nullish(), networkEntityId: z.string() })),
});
export const securityRule = z.object({
  direction: z.string(),
  protocol: z.string(),
  source: z.string().nullish(),
});
export const regionSubscription = z.object({ regionName: z.string(), status: z.string(), isHomeRegion: z.boolean() });
export const availabilityDomain = z.object({ name: z.string() });
export const compartment = z.object({ id: z.string(), name: z.string(), lifecycleState: z.string() });
export const limitValue = z.object({
  name: z.string(),
  availabilityDomain: z.string().nullish(),
  value: z.number(),
});
export const listingSummary = z.object({ id: z.string(), name: z.string() });
export const listing = z.object({ defaultPackageVersion: z.string() });
export const imagePackage = z.object({ imageId: z.string() });
export const agreement = z.object({ id: z.string() });
export const signedAgreement = z.object({ id: z.string(), signature: z.string() });
export const acceptedAgreement = z.object({ agreementId: z.string().nullish() });

export type OciInstance = z.infer<typeof instance>;
export type Vnic = z.infer<typeof vnic>;
export type Shape = z.infer<typeof shape>;
export type LimitValue = z.infer<typeof limitValue>;
export type RegionSubscription = z.infer<typeof regionSubscription>;
export type Compartment = z.infer<typeof compartment>;
export type Vcn = z.infer<typeof vcn>;
export type NetworkPart = z.infer<typeof networkPart>;
export type RouteTable = z.infer<typeof routeTable>;
