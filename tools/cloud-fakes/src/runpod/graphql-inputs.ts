import { readFileSync } from 'node:fs';
import { readLiteral } from './read-literal.js';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const FILE = new URL('../../specs/runpod-graphql-inputs.json', import.meta.url);

export interface Deployment {
  readonly mutation: keyof typeof INPUT_TYPES;
  readonly input: Readonly<Record<string, unknown>>;
}

const INPUT_TYPES = {
  podFindAndDeployOnDemand: 'PodFindAndDeployOnDemandInput',
  podRentInterruptable: 'PodRentInterruptableInput',
  deployCpuPod: 'deployCpuPodInput',
  createCluster: 'createClusterInput',
} as const;

const CREATE_CLUSTER = /^mutation \{ createCluster\(input: (\{.*\})\) \{ id pods \{ id \} \} \}$/s;

/** Takes the mutations that are used, with their input as a variable, and compares it with what is known of its type. */
export class GraphqlInputs {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor() {
    this.ajv.addSchema(JSON.parse(readFileSync(FILE, 'utf8')) as object, 'inputs');
  }

  /** @returns what is wrong, as a text */
  read(body: unknown): Deployment | string {
    const { query = '', variables } = body as { query?: string; variables?: { input?: Record<string, unknown> } };
    const [, literal] = CREATE_CLUSTER.exec(query.trim()) ?? [];
    if (literal !== undefined) return this.cluster(literal);
    const [, type, mutation] =
      /^mutation \(\$input: (\w+)!\) \{ (\w+)\(input: \$input\) \{ id \} \}$/.exec(query.trim()) ?? [];
    if (!isMutation(mutation)) return `Cannot query field "${mutation ?? query}" on type "Mutation".`;
    if (type !== INPUT_TYPES[mutation])
      return `Variable "$input" of type "${type}!" used in position expecting another.`;
    return this.checked(mutation, variables?.input);
  }

  private cluster(literal: string): Deployment | string {
    try {
      return this.checked('createCluster', readLiteral(literal));
    } catch (error) {
      return `Syntax Error: ${String(error)}`;
    }
  }

  private checked(mutation: Deployment['mutation'], input: unknown): Deployment | string {
    const type = INPUT_TYPES[mutation];
    const validate = this.compiled.get(type) ?? this.ajv.compile({ $ref: `inputs#/inputs/${type}` });
    this.compiled.set(type, validate);
    if (!validate(input)) return `Variable "$input" got invalid value: ${this.ajv.errorsText(validate.errors)}`;
    return { mutation, input: input as Deployment['input'] }; // compared with its schema
  }
}

function isMutation(name: string | undefined): name is keyof typeof INPUT_TYPES {
  return name !== undefined && name in INPUT_TYPES;
}
