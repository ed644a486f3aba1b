/** The words of a `juju wait-for` query. */
import { CommandError } from '../errors.ts';

export interface Token {
  readonly kind: 'symbol' | 'text' | 'number' | 'name';
  readonly text: string;
}

// A name may have dashes and one dot: workload-status, unit.life.
const TOKEN =
  /\s*(?:(&&|\|\||=>|==|!=|<=|>=|[<>()[\],;])|"([^"]*)"|'([^']*)'|(\d+(?:\.\d+)?)|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)?))/y;

/** @throws CommandError at what is none. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) {
      throw new CommandError(
        `invalid query ${JSON.stringify(text)}: unexpected ${JSON.stringify(text.slice(at).trim())}`,
      );
    }
    tokens.push(tokenOf(found));
  }
  return tokens;
}

function tokenOf([, symbol, double, single, number, name]: RegExpExecArray): Token {
  if (symbol !== undefined) {
    return { kind: 'symbol', text: symbol };
  }
  if (number !== undefined) {
    return { kind: 'number', text: number };
  }
  return name === undefined
    ? { kind: 'text', text: double ?? single ?? '' }
    : { kind: 'name', text: name };
}
