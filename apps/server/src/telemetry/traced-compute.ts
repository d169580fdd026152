import { traced } from './traced.js';

/** The same account, each call to its cloud a span. */
export function tracedCompute<Account extends object>(backend: string, compute: Account): Account {
  return tracedMembers(backend, '', compute);
}

function tracedMembers<T extends object>(backend: string, prefix: string, target: T): T {
  return new Proxy(target, {
    get: (of, name) => {
      const member: unknown = Reflect.get(of, name, of);
      if (typeof name === 'symbol' || member === null) return member;
      const operation = `${prefix}${name}`;
      if (isCall(member)) return tracedCall(backend, operation, of, member);
      // Volumes, gateways and their balancers.
      return isGroup(member) ? tracedMembers(backend, `${operation}.`, member) : member;
    },
  });
}

type Call = (...args: readonly unknown[]) => unknown;

const isCall = (member: unknown): member is Call => typeof member === 'function';

/** Those that answer at once are no calls. */
function tracedCall(backend: string, operation: string, of: object, member: Call): Call {
  return (...args) => {
    const attributes = { 'dstack.backend': backend, 'dstack.operation': operation };
    const answer = Reflect.apply(member, of, args);
    if (!(answer instanceof Promise)) return answer;
    return traced({ name: `${backend} ${operation}`, kind: 'call', attributes }, () => answer);
  };
}

function isGroup(member: unknown): member is object {
  return typeof member === 'object' && member !== null && !Array.isArray(member) && !(member instanceof Promise);
}
