/**
 * The query language of `juju wait-for`, as far as it goes here: `==`, `!=`, `<`, `<=`, `>`, `>=`, `&&`,
 * `||`, `!`, parentheses, texts, numbers, true and false, and the fields of what is waited for.
 * Functions and lambdas are refused.
 */
import { UsageError } from '../errors.ts';

type Value = string | number | boolean;

/** The fields a query may name. */
export type Fields = Readonly<Record<string, Value>>;

/** Answers whether the query holds. @throws UsageError when it names a field that is not there. */
export type Query = (fields: Fields) => boolean;

type Expression = (fields: Fields) => Value;

const TOKEN =
  /\s*(?:(&&|\|\||==|!=|<=|>=|[!<>()])|"([^"]*)"|'([^']*)'|(\d+(?:\.\d+)?)|([A-Za-z_][\w-]*))/y;

interface Token {
  readonly kind: 'symbol' | 'text' | 'number' | 'name';
  readonly text: string;
}

/** @throws UsageError when the text is not a query. */
export function parseQuery(text: string): Query {
  const parser = new QueryParser(tokenize(text), text);
  const expression = parser.parse();
  return (fields) => truth(expression(fields), text);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const found = TOKEN.exec(text);
    if (found === null) {
      throw notAQuery(text);
    }
    const [, symbol, double, single, number, name] = found;
    if (symbol !== undefined) {
      tokens.push({ kind: 'symbol', text: symbol });
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number });
    } else if (name !== undefined) {
      tokens.push({ kind: 'name', text: name });
    } else {
      tokens.push({ kind: 'text', text: double ?? single ?? '' });
    }
  }
  return tokens;
}

const COMPARISONS: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

class QueryParser {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  #at = 0;

  constructor(tokens: readonly Token[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  parse(): Expression {
    const expression = this.#or();
    if (this.#at < this.#tokens.length) {
      throw notAQuery(this.#text);
    }
    return expression;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('||')) {
      const [a, b] = [left, this.#and()];
      left = (fields) => truth(a(fields), this.#text) || truth(b(fields), this.#text);
    }
    return left;
  }

  #and(): Expression {
    let left = this.#comparison();
    while (this.#take('&&')) {
      const [a, b] = [left, this.#comparison()];
      left = (fields) => truth(a(fields), this.#text) && truth(b(fields), this.#text);
    }
    return left;
  }

  #comparison(): Expression {
    const left = this.#operand();
    const compare = COMPARISONS[this.#symbol() ?? ''];
    if (compare === undefined) {
      return left;
    }
    this.#at += 1;
    const right = this.#operand();
    return (fields) => compare(left(fields), right(fields));
  }

  #operand(): Expression {
    if (this.#take('!')) {
      const inner = this.#operand();
      return (fields) => !truth(inner(fields), this.#text);
    }
    if (this.#take('(')) {
      const inner = this.#or();
      if (!this.#take(')')) {
        throw notAQuery(this.#text);
      }
      return inner;
    }
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token === undefined || token.kind === 'symbol' ? this.#refuse() : literal(token);
  }

  #refuse(): never {
    throw notAQuery(this.#text);
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
}

function literal({ kind, text }: Token): Expression {
  if (kind === 'text') {
    return () => text;
  }
  if (kind === 'number') {
    return () => Number(text);
  }
  if (text === 'true' || text === 'false') {
    return () => text === 'true';
  }
  return (fields) => {
    const value = fields[text];
    if (value === undefined) {
      throw new UsageError(
        `invalid query: there is no ${JSON.stringify(text)}; there are ${Object.keys(fields).join(', ')}`,
      );
    }
    return value;
  };
}

function truth(value: Value, text: string): boolean {
  if (typeof value !== 'boolean') {
    throw notAQuery(text);
  }
  return value;
}

function notAQuery(text: string): UsageError {
  return new UsageError(
    `invalid query ${JSON.stringify(text)}: it compares fields, for example status=="active" && life=="alive"`,
  );
}
