/** The functions of `juju wait-for` queries. */
import { CommandError } from '../errors.ts';
import { isLambda, isScopes, type Scope, type Value } from './values.ts';

type Callable = (args: readonly Value[], scope: Scope) => Value | undefined;

/** Each answers undefined when it cannot take the arguments. */
const FUNCTIONS: Readonly<Record<string, Callable>> = {
  len: ([value, ...rest]) => (value === undefined || rest.length > 0 ? undefined : lengthOf(value)),
  forEach: ([values, lambda], scope) => {
    if (values === undefined || !isScopes(values) || !isLambda(lambda)) {
      return undefined;
    }
    const all = [...values.scopes.values()];
    // Of nothing it does not hold, as in Juju.
    return all.length > 0 && all.every((one) => lambda.run(nested(scope, lambda.argument, one)));
  },
  startsWith: ([text, part]) =>
    typeof text === 'string' && typeof part === 'string' ? text.startsWith(part) : undefined,
  endsWith: ([text, part]) =>
    typeof text === 'string' && typeof part === 'string' ? text.endsWith(part) : undefined,
};

/** @throws CommandError when there is no such function, or it cannot take these arguments. */
export function callFunction(name: string, args: readonly Value[], scope: Scope): Value {
  const answer = FUNCTIONS[name]?.(args, scope);
  if (answer === undefined) {
    throw new CommandError(
      `invalid query: ${name} cannot be called so; there are len(x), forEach(units, unit => …), startsWith(text, text) and endsWith(text, text)`,
    );
  }
  return answer;
}

function lengthOf(value: Value): number {
  if (isScopes(value)) {
    return value.scopes.size;
  }
  if (typeof value === 'string' || Array.isArray(value)) {
    return value.length;
  }
  throw new CommandError('invalid query: len takes a text, a list or a set');
}

/** Members of `one` as `argument.member`, all others from outside. */
function nested(outside: Scope, argument: string, one: Scope): Scope {
  return {
    get: (name) => {
      const [owner, member] = name.split('.');
      return owner === argument && member !== undefined ? one.get(member) : outside.get(name);
    },
  };
}
