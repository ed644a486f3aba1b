/** Options: declared, and of the declared type. */
import type { OptionType } from '../../meta.ts';
import { namesOf, type Scene } from './scene.ts';

export function* configProblems({ state, meta }: Scene): Generator<string> {
  for (const [name, value] of Object.entries(state.config)) {
    const option = meta.options.get(name);
    if (option === undefined) {
      yield `config option "${name}" is not declared: add it to the charm's config, or drop it from the state; the charm has ${namesOf(meta.options.keys())}`;
    } else if (!fits(option.type, value)) {
      yield `config option "${name}" is declared as ${option.type}: ${JSON.stringify(value)} is none; ${REMEDY[option.type]}`;
    }
  }
}

const REMEDY: Readonly<Record<OptionType, string>> = {
  int: 'use a whole number',
  float: 'use a number',
  boolean: 'use true or false',
  string: 'use a text',
  secret: 'use the id of a secret()',
};

function fits(type: OptionType, value: unknown): boolean {
  switch (type) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'secret':
      return typeof value === 'string' && /^secret:(\/\/[^/]+\/)?[0-9a-v]{20}$/.test(value);
    default:
      return type satisfies never;
  }
}
