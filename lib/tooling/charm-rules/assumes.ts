/** Juju's rules for `assumes`. https://github.com/juju/charm/blob/v12/assumes/parser.go */
import type { JsonValue } from '#system';
import { isMap, quote, type Report } from './document.ts';

const EXPRESSION = /^[a-z][a-z0-9-]*[a-z0-9](?:\s*(?:>=|<)\s*\d+(?:\.\d+){0,2})?$/;

/** Reports expressions Juju cannot read. */
export function checkAssumes(value: JsonValue | undefined, report: Report): void {
  if (value !== undefined && value !== null) {
    checkList(value, 'metadata.yaml: assumes', report);
  }
}

function checkList(value: JsonValue | undefined, what: string, report: Report): void {
  if (!Array.isArray(value)) {
    report(`${what}: expected a list, got ${quote(value)}`);
    return;
  }
  for (const expression of value as readonly JsonValue[]) {
    checkExpression(expression, what, report);
  }
}

function checkExpression(expression: JsonValue, what: string, report: Report): void {
  if (typeof expression === 'string') {
    if (!EXPRESSION.test(expression.trim())) {
      report(`${what}: malformed feature expression ${quote(expression)}`);
    }
    return;
  }
  const [kind, ...others] = isMap(expression) ? Object.keys(expression) : [];
  if ((kind !== 'any-of' && kind !== 'all-of') || others.length > 0 || !isMap(expression)) {
    report(`${what}: expected a feature, "any-of" or "all-of", got ${quote(expression)}`);
    return;
  }
  checkList(expression[kind], `${what}: ${kind}`, report);
}
