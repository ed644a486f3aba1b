/** Small readers over the parsed files of a charm, which come from anywhere. */
import { parseDocument } from 'yaml';
import type { JsonRecord, JsonValue } from '#system';

/** Takes one problem, as a sentence that names the file and the key. */
export type Report = (problem: string) => void;

/** Parses YAML 1.1, as Juju and charmcraft do. @throws Error where the text is none. */
export function parseYaml11(text: string): JsonValue {
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new Error(problem.message.split('\n', 1)[0], { cause: problem });
  }
  return (document.toJS() as JsonValue | undefined) ?? null;
}

export function isMap(value: JsonValue | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a map; none, and a report, where there is something else. Absent is empty. */
export function membersOf(
  value: JsonValue | undefined,
  what: string,
  report: Report,
): readonly (readonly [string, JsonValue])[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!isMap(value)) {
    report(`${what}: expected map, got ${quote(value)}`);
    return [];
  }
  return Object.entries(value);
}

/** The same where every member has to be a map. */
export function mapsOf(
  value: JsonValue | undefined,
  what: string,
  report: Report,
): readonly (readonly [string, JsonRecord])[] {
  return membersOf(value, what, report).flatMap(([name, member]) => {
    if (isMap(member)) {
      return [[name, member] as const];
    }
    report(`${what}.${name}: expected map, got ${quote(member)}`);
    return [];
  });
}

/** Reports a present value of another type. */
export function expectType(
  value: JsonValue | undefined,
  type: 'string' | 'boolean',
  what: string,
  report: Report,
): void {
  // Juju's readers take null for absent.
  if (value !== undefined && value !== null && typeof value !== type) {
    report(`${what}: expected ${type}, got ${quote(value)}`);
  }
}

/** `juju` and what begins with `juju-` is Juju's own, except for its own charms. */
export function isReservedName(name: string, charm: string): boolean {
  return !charm.startsWith('juju-') && (name === 'juju' || name.startsWith('juju-'));
}

export function quote(value: JsonValue | undefined): string {
  return JSON.stringify(value) ?? 'nothing';
}
