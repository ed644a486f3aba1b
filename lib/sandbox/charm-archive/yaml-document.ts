/** Small typed readers over parsed YAML, so that a charm's mistakes become sentences. */
import { parseDocument } from 'yaml';
import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';

/** Parses YAML 1.1 as Juju does (yes/no stay texts only in 1.2; charms quote them either way). */
export function parseYaml(text: string, file: string): JsonValue {
  const document = parseDocument(text, { version: '1.2', merge: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw new ModelError(`cannot read ${file}: ${problem.message.split('\n', 1)[0] ?? ''}`);
  }
  return (document.toJS() as JsonValue | undefined) ?? null;
}

export function isRecord(value: JsonValue | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A mapping; empty when absent. */
export function recordOf(value: JsonValue | undefined, what: string): JsonRecord {
  if (value === undefined || value === null) {
    return {};
  }
  if (!isRecord(value)) {
    throw new ModelError(`${what}: expected map, got ${JSON.stringify(value)}`);
  }
  return value;
}

/** How a scalar reads; empty for anything else. */
export function scalarText(value: JsonValue | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

/** A text; undefined when absent. */
export function textOf(value: JsonValue | undefined, what: string): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value === 'object') {
    throw new ModelError(`${what}: expected string, got ${JSON.stringify(value)}`);
  }
  return String(value);
}
