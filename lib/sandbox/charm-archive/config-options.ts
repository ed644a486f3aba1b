/**
 * config.yaml, and values for its options.
 * https://github.com/juju/charm/blob/v12/config.go
 */

import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { ConfigOption, OptionType } from '../model/charm-metadata.ts';
import { recordOf, textOf } from './yaml-document.ts';

const TYPES: ReadonlySet<string> = new Set(['string', 'int', 'float', 'boolean', 'secret']);
const SECRET_URI = /^secret:(?:\/\/[0-9a-f-]{36}\/)?[0-9a-v]{20}$/;

/** The `options` of a config file, checked. */
export function parseOptions(document: JsonRecord): Record<string, ConfigOption> {
  const options = document['options'];
  if (options === undefined || options === null) {
    throw new ModelError('invalid config: empty configuration');
  }
  return Object.fromEntries(
    Object.entries(recordOf(options, 'invalid config: options')).map(([name, value]) => [
      name,
      parseOption(name, recordOf(value, `invalid config: option ${JSON.stringify(name)}`)),
    ]),
  );
}

function parseOption(name: string, fields: JsonRecord): ConfigOption {
  const type = textOf(fields['type'], 'type') ?? 'string';
  if (!isOptionType(type)) {
    throw new ModelError(
      `invalid config: option ${JSON.stringify(name)} has unknown type ${JSON.stringify(type)}`,
    );
  }
  const description = textOf(fields['description'], 'description');
  const value = fields['default'] ?? undefined;
  if (value !== undefined && !hasType(type, value)) {
    throw new ModelError(`invalid config default: ${mismatch(name, type, value)}`);
  }
  return {
    type,
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { default: value }),
  };
}

/**
 * A value for an option: texts, as typed on a command line, become what the option wants.
 * @throws ModelError for unknown options and for values of another type.
 */
export function convertOption(
  options: Readonly<Record<string, ConfigOption>>,
  name: string,
  value: JsonValue,
): JsonValue {
  const option = options[name];
  if (option === undefined) {
    throw new ModelError(`unknown option ${JSON.stringify(name)}`);
  }
  const converted = typeof value === 'string' ? fromText(option.type, value) : value;
  if (converted === undefined || !hasType(option.type, converted)) {
    throw new ModelError(mismatch(name, option.type, value));
  }
  return converted;
}

function fromText(type: OptionType, text: string): JsonValue | undefined {
  switch (type) {
    case 'string':
    case 'secret':
      return text;
    case 'int':
      return /^[-+]?\d+$/.test(text) ? Number(text) : undefined;
    case 'float':
      return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
    case 'boolean':
      return fromBooleanText(text);
  }
}

/** What Go's strconv.ParseBool takes. */
function fromBooleanText(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) {
    return true;
  }
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

function hasType(type: OptionType, value: JsonValue): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return Number.isSafeInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'secret':
      return typeof value === 'string' && (value === '' || SECRET_URI.test(value));
  }
}

function mismatch(name: string, type: OptionType, value: JsonValue): string {
  return `option ${JSON.stringify(name)} expected ${type}, got ${JSON.stringify(value)}`;
}

function isOptionType(text: string): text is OptionType {
  return TYPES.has(text);
}
