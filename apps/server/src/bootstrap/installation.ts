/** This database's identity: the owner written on everything that the server creates in a cloud. */
export interface Installation {
  readonly id: string;
}

export const INSTALLATION = Symbol('Installation');
