/** Juju's rules for config.yaml. https://github.com/juju/charm/blob/v12/config.go */
import type { JsonRecord, JsonValue } from '#system';
import { expectType, mapsOf, quote, type Report } from './document.ts';

/** Option type → whether a default fits it. */
const TYPES: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  string: (value) => typeof value === 'string',
  int: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  secret: (value) => typeof value === 'string' && (value === '' || value.startsWith('secret:')),
};

// Juju stores options under their names in a database that has its own use for $ and dots.
const STORABLE = /^[^$.][^.]*$/;

/** Reports what Juju would refuse. */
export function checkConfig(config: JsonRecord, report: Report): void {
  if (!('options' in config)) {
    report('config.yaml: empty configuration: "options" is missing');
  }
  for (const [name, option] of mapsOf(config['options'], 'config.yaml: options', report)) {
    checkOption(name, option, report);
  }
}

function checkOption(name: string, option: JsonRecord, report: Report): void {
  if (!STORABLE.test(name)) {
    report(`config.yaml: option name ${quote(name)} cannot be stored`);
  }
  const type = option['type'] ?? 'string';
  const fits = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  const value = option['default'];
  if (fits === undefined) {
    report(`config.yaml: option ${quote(name)} has unknown type ${quote(type)}`);
  } else if (value !== undefined && value !== null && !fits(value)) {
    report(`config.yaml: option ${quote(name)} expected ${quote(type)}, got ${quote(value)}`);
  }
  expectType(option['description'], 'string', `config.yaml: options.${name}.description`, report);
}
