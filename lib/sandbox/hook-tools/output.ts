/**
 * Results of hook tools in Juju's formats: smart, yaml, json.
 * https://github.com/juju/cmd/blob/v3/output.go
 */
import { resolve } from 'node:path';
import { sortKeys as sortNaturally } from '../go-output/values.ts';
import { toYaml } from '../go-output/yaml.ts';
import type { JsonValue } from '../json.ts';
import type { FlagSpec } from './flags.ts';
import type { ToolCall, ToolOutput } from './tool.ts';
import { usageError } from './tool-error.ts';

export const OUTPUT_FLAGS = {
  format: { kind: 'text' },
  output: { kind: 'text', aliases: ['o'] },
} as const satisfies Readonly<Record<string, FlagSpec>>;

export type OutputFormat = 'smart' | 'yaml' | 'json';

const SMART: readonly OutputFormat[] = ['smart', 'yaml', 'json'];

/** The format asked for. @throws ToolError (2) when it is none of `formats`, of which the first is the default. */
export function chooseFormat(
  call: ToolCall,
  formats: readonly OutputFormat[] = SMART,
): OutputFormat {
  const asked = call.flags.text('format');
  const found = formats.find((format) => format === (asked ?? formats[0]));
  if (found === undefined) {
    const shown = JSON.stringify(asked);
    throw usageError(`invalid value ${shown} for option --format: unknown format ${shown}`);
  }
  return found;
}

/** Prints a value, or writes it to the file of `-o`. `undefined` is Go's nil. */
export function answer(
  call: ToolCall,
  value: JsonValue | undefined,
  formats: readonly OutputFormat[] = SMART,
): ToolOutput {
  const text = formatValue(value, chooseFormat(call, formats));
  const file = call.flags.text('output');
  if (file === undefined || file === '') {
    return { stdout: text };
  }
  call.context.files().write(resolve(call.cwd, file), text);
  return {};
}

export function formatValue(value: JsonValue | undefined, format: OutputFormat): string {
  switch (format) {
    case 'json':
      return `${goJson(value ?? null)}\n`;
    case 'yaml':
      return value === undefined || value === null ? '' : goYaml(value);
    case 'smart':
      return smart(value);
  }
}

function smart(value: JsonValue | undefined): string {
  if (value === undefined || value === null || value === '') {
    return '';
  }
  if (typeof value === 'string') {
    return `${value}\n`;
  }
  if (typeof value === 'boolean') {
    return value ? 'True\n' : 'False\n';
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.length === 0 ? '' : `${value.join('\n')}\n`;
  }
  return goYaml(value);
}

/** Compact JSON with sorted keys, escaped for HTML as Go's encoder does. */
export function goJson(value: JsonValue): string {
  return JSON.stringify(sortKeys(value)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** YAML as go-yaml writes it: sorted keys, lists not indented, lines not folded. */
export function goYaml(value: JsonValue): string {
  return toYaml(sortNaturally(value));
}

function sortKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map((item: JsonValue) => sortKeys(item));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
