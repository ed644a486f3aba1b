/** `key=value` arguments and the files that hold such values. */
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { describeError, hasErrorCode } from '#system';
import type { ToolCall } from './tool.ts';
import { ToolError, usageError } from './tool-error.ts';

/** Arguments `key=value`; keys and values are trimmed. @throws ToolError (2). */
export function parseKeyValues(args: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const arg of args) {
    const equals = arg.indexOf('=');
    const key = arg.slice(0, Math.max(equals, 0)).trim();
    if (equals === -1 || key === '') {
      throw usageError(`expected "key=value", got ${JSON.stringify(arg)}`);
    }
    if (Object.hasOwn(values, key)) {
      throw usageError(`key ${JSON.stringify(key)} specified more than once`);
    }
    values[key] = arg.slice(equals + 1).trim();
  }
  return values;
}

/** The mapping in the file of `--file`, `-` being standard input; empty when not given. */
export function readValuesFile(call: ToolCall): Record<string, string> {
  const file = call.flags.text('file');
  if (file === undefined || file === '') {
    return {};
  }
  const text = file === '-' ? call.stdin() : readText(call, file);
  return toTexts(parseMapping(text));
}

/** A file named by a charm, relative to where it called. @throws ToolError with Go's message. */
export function readCharmFile(call: ToolCall, file: string): Buffer {
  try {
    return call.context.files().read(resolve(call.cwd, file));
  } catch (error) {
    throw new ToolError(`open ${file}: ${reasonOf(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

function reasonOf(error: unknown): string {
  const known = Object.entries(REASONS).find(([code]) => hasErrorCode(error, code));
  return known?.[1] ?? describeError(error);
}

function readText(call: ToolCall, file: string): string {
  return readCharmFile(call, file).toString('utf8');
}

function parseMapping(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    // Scalars stay as they are written: `1.10` is a version to its author, not a number.
    value = parse(text, { schema: 'failsafe' });
  } catch (error) {
    throw new ToolError(`yaml: ${describeError(error)}`);
  }
  if (value === null || value === undefined || value === '') {
    return {};
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ToolError('yaml: unmarshal errors: cannot unmarshal into map[string]string');
  }
  return value as Readonly<Record<string, unknown>>;
}

function toTexts(mapping: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapping).map(([key, value]) => {
      if (typeof value === 'object' && value !== null) {
        throw new ToolError(
          `yaml: unmarshal errors: cannot unmarshal ${Array.isArray(value) ? '!!seq' : '!!map'} into string`,
        );
      }
      // A plain null is the empty string, and so deletes.
      const isNull = typeof value !== 'string' || value === '~' || value === 'null';
      return [key, isNull ? '' : value];
    }),
  );
}
