/** JSON as Go prints it: compact, one line, `<`, `>` and `&` escaped. */
import { isMap, type OutputValue } from './values.ts';

/** One line with its newline. */
export function toJson(value: OutputValue): string {
  const text = JSON.stringify(value ?? null);
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, escapeCharacter)}\n`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Whether there is nothing in it to print. */
export function isEmptyValue(value: OutputValue): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isMap(value) && Object.keys(value).length === 0;
}
