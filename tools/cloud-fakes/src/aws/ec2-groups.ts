import { Ec2Refusal } from './ec2-refusal.js';

type Input = Readonly<Record<string, unknown>>;
type Filter = { readonly Name?: string; readonly Values?: readonly string[] };
type Tag = { readonly Key: string; readonly Value: string };
type Permission = { readonly UserIdGroupPairs?: readonly { readonly GroupId?: string }[] };

export interface FakeSecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly vpcId: string;
  readonly tags: readonly Tag[];
  readonly permissions: Permission[];
}

/** The security groups of one region's network. */
export class Ec2Groups extends Map<string, FakeSecurityGroup> {
  /** Who has network interfaces in groups: machines, balancers. */
  readonly users: (() => readonly string[])[] = [];
  private made = 0;

  get ids(): Set<string> {
    return new Set([...this.values()].map(({ id }) => id));
  }

  describe(input: Input): object[] {
    const given = (input['Filters'] ?? []) as Filter[];
    return [...this.values()]
      .filter((group) => given.every((filter) => passes(group, filter)))
      .map(({ id, name, vpcId, tags, permissions }) => ({
        GroupId: id,
        GroupName: name,
        VpcId: vpcId,
        IpPermissions: permissions,
        Tags: tags,
      }));
  }

  create({ GroupName, VpcId, Description, TagSpecifications }: Input): object {
    const name = String(GroupName);
    if (this.has(name))
      throw new Ec2Refusal(
        'InvalidGroup.Duplicate',
        `The security group '${name}' already exists for VPC '${String(VpcId)}'`,
      );
    if (name.startsWith('sg-') || !/^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/.test(String(Description)))
      throw new Ec2Refusal('InvalidParameterValue', 'Invalid name or description of a security group');
    this.made += 1;
    const id = `sg-${this.made}`;
    const tags = (TagSpecifications as { Tags: Tag[] }[] | undefined)?.flatMap(({ Tags }) => Tags) ?? [];
    this.set(name, { id, name, vpcId: String(VpcId), tags, permissions: [] });
    return { GroupId: id };
  }

  authorize({ GroupId, IpPermissions }: Input): object {
    const group = this.require(GroupId);
    for (const permission of IpPermissions as Permission[]) {
      for (const { GroupId: from } of permission.UserIdGroupPairs ?? []) this.require(from);
      if (group.permissions.some((known) => JSON.stringify(known) === JSON.stringify(permission)))
        throw new Ec2Refusal('InvalidPermission.Duplicate', 'the specified rule already exists');
      group.permissions.push(permission);
    }
    return { Return: true };
  }

  /** Not while an interface is in it, or the rule of another group names it. */
  remove({ GroupId }: Input): object {
    const { id, name } = this.require(GroupId);
    const isNamed = [...this.values()].some(
      (other) =>
        other.id !== id &&
        other.permissions.some(({ UserIdGroupPairs: pairs }) => pairs?.some(({ GroupId: from }) => from === id)),
    );
    if (isNamed || this.users.some((used) => used().includes(id)))
      throw new Ec2Refusal('DependencyViolation', `resource ${id} has a dependent object`);
    this.delete(name);
    return { Return: true, GroupId: id };
  }

  /** @throws {Ec2Refusal} */
  require(given: unknown): FakeSecurityGroup {
    const group = [...this.values()].find(({ id }) => id === given);
    if (group !== undefined) return group;
    throw new Ec2Refusal('InvalidGroup.NotFound', `The security group '${String(given)}' does not exist`);
  }
}

function passes({ name, vpcId, tags }: FakeSecurityGroup, { Name = '', Values = [] }: Filter): boolean {
  if (Name === 'group-name') return Values.includes(name);
  if (Name === 'vpc-id') return Values.includes(vpcId);
  if (Name.startsWith('tag:')) return tags.some(({ Key, Value }) => Key === Name.slice(4) && Values.includes(Value));
  return false;
}
