/**
 * The query language of `juju wait-for`: comparisons, `&&`, `||`, parentheses, texts, numbers, `true`
 * and `false`, identifiers, members, indexes, functions and lambdas.
 * https://github.com/juju/juju/tree/3.6/cmd/juju/waitfor/query
 */
import { CommandError } from '../errors.ts';
import { callFunction } from './functions.ts';
import { type Token, tokenize } from './tokens.ts';
import { isScopes, type Lambda, type Scope, type Value } from './values.ts';

/** Answers whether the query holds. @throws CommandError when it cannot be answered. */
export type Query = (scope: Scope) => boolean;

export type Expression = (scope: Scope) => Value;

/** @throws CommandError when the text is not a query. */
export function parseQuery(text: string): Query {
  const expression = new QueryParser(text).parse();
  return (scope) => isTrue(expression(scope));
}

/** Anything but false, zero and what is empty, as in Juju. */
function isTrue(value: Value): boolean {
  if (isScopes(value)) {
    return value.scopes.size > 0;
  }
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

type Operator = (a: Expression, b: Expression) => Expression;

const compare =
  (holds: (a: number | string, b: number | string) => boolean): Operator =>
  (a, b) =>
  (scope) => {
    const [left, right] = [a(scope), b(scope)];
    const comparable =
      typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
    return comparable && holds(left, right as number | string);
  };

// From the loosest; those of one line bind alike.
const LEVELS: readonly Readonly<Record<string, Operator>>[] = [
  { '||': (a, b) => (scope) => boolean(a(scope)) || boolean(b(scope)) },
  { '&&': (a, b) => (scope) => boolean(a(scope)) && boolean(b(scope)) },
  {
    '==': (a, b) => (scope) => a(scope) === b(scope),
    '!=': (a, b) => (scope) => a(scope) !== b(scope),
  },
  {
    '<': compare((a, b) => a < b),
    '<=': compare((a, b) => a <= b),
    '>': compare((a, b) => a > b),
    '>=': compare((a, b) => a >= b),
  },
];

function boolean(value: Value): boolean {
  if (typeof value !== 'boolean') {
    throw new CommandError('invalid query: && and || are only allowed on boolean values');
  }
  return value;
}

class QueryParser {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Expression {
    const expression = this.#binary(0);
    if (this.#at < this.#tokens.length) {
      this.#refuse();
    }
    return expression;
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) {
      return this.#postfix();
    }
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators[this.#symbol() ?? ''];
      if (operator === undefined) {
        return left;
      }
      this.#at += 1;
      left = operator(left, this.#binary(level + 1));
    }
  }

  #postfix(): Expression {
    let left = this.#operand();
    while (this.#take('[')) {
      const index = this.#binary(0);
      this.#expect(']');
      const map = left;
      left = (scope) => member(map(scope), index(scope));
    }
    return left;
  }

  #operand(): Expression {
    if (this.#take('(')) {
      const inner = this.#binary(0);
      this.#expect(')');
      return inner;
    }
    const token = this.#tokens[this.#at];
    this.#at += 1;
    switch (token?.kind) {
      case 'text':
        return () => token.text;
      case 'number':
        return () => Number(token.text);
      case 'name':
        return this.#named(token.text);
      case 'symbol':
      case undefined:
        return this.#refuse();
    }
  }

  #named(name: string): Expression {
    if (name === 'true' || name === 'false') {
      return () => name === 'true';
    }
    if (this.#take('(')) {
      return this.#call(name);
    }
    if (this.#take('=>')) {
      return this.#lambda(name);
    }
    return (scope) => scope.get(name);
  }

  #call(name: string): Expression {
    const args: Expression[] = [];
    while (!this.#take(')')) {
      if (args.length > 0) {
        this.#expect(',');
      }
      args.push(this.#binary(0));
    }
    return (scope) =>
      callFunction(
        name,
        args.map((argument) => argument(scope)),
        scope,
      );
  }

  /** The last of several expressions is the answer. */
  #lambda(argument: string): Expression {
    const bodies = [this.#binary(0)];
    while (this.#take(';')) {
      bodies.push(this.#binary(0));
    }
    const lambda: Lambda = {
      argument,
      run: (scope) => bodies.map((body) => isTrue(body(scope))).at(-1) === true,
    };
    return () => lambda;
  }

  #symbol(): string | undefined {
    const token = this.#tokens[this.#at];
    return token?.kind === 'symbol' ? token.text : undefined;
  }

  #take(symbol: string): boolean {
    const found = this.#symbol() === symbol;
    this.#at += Number(found);
    return found;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) {
      this.#refuse();
    }
  }

  #refuse(): never {
    throw new CommandError(
      `invalid query ${JSON.stringify(this.#text)}: it compares what is there, for example status=="active" && life=="alive"`,
    );
  }
}

function member(map: Value, index: Value): Value {
  if (Array.isArray(map) && typeof index === 'number') {
    const found = (map as readonly string[])[index];
    if (found !== undefined) {
      return found;
    }
  }
  if (typeof map === 'object' && 'members' in map && typeof index === 'string') {
    const found = map.members[index];
    if (found !== undefined) {
      return found;
    }
  }
  throw new CommandError(`invalid query: nothing at index ${JSON.stringify(index)}`);
}
