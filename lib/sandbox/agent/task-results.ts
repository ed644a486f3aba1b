/** What a task's process wrote, as results of the task. */
import type { JsonRecord, JsonValue } from '../json.ts';
import type { CharmProcessEnd } from './charm-process.ts';

/** `return-code`, and `stdout` and `stderr` where there is something; base64 where it is no text. */
export function outputResults(end: CharmProcessEnd): JsonRecord {
  return {
    'return-code': end.exitCode ?? 1,
    ...outputResult('stdout', end.stdout),
    ...outputResult('stderr', end.stderr),
  };
}

function outputResult(name: string, output: Buffer): Record<string, JsonValue> {
  if (output.length === 0) {
    return {};
  }
  const text = output.toString('utf8');
  return Buffer.from(text, 'utf8').equals(output)
    ? { [name]: text }
    : { [name]: output.toString('base64'), [`${name}-encoding`]: 'base64' };
}
