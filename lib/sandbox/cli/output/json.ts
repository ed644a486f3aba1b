/** JSON as Go prints it: compact, one line, `<`, `>` and `&` escaped. */
import type { OutputValue } from '../../go-output/values.ts';

/** One line with its newline. */
export function toJson(value: OutputValue): string {
  const text = JSON.stringify(value ?? null);
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, escapeCharacter)}\n`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
