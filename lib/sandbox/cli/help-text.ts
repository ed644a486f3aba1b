/** The help text of one command. */
import type { FlagSpec, FlagSpecs } from './arguments/flags.ts';
import { COMMON_FLAGS } from './common-flags.ts';

/** What the text is made of. */
export interface Documented {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly aliases: readonly string[];
  readonly details?: string;
  readonly examples?: readonly string[];
  readonly flags: FlagSpecs;
}

/** The help text of one command. */
export function formatHelp(command: Documented): string {
  const own = Object.entries(command.flags).filter(([name]) => !(name in COMMON_FLAGS));
  const common = Object.entries(command.flags).filter(([name]) => name in COMMON_FLAGS);
  const usage = ['juju', command.name, own.length === 0 ? '' : '[options]', command.usage];
  return [
    `Usage: ${usage.filter((word) => word !== '').join(' ')}\n`,
    `Summary:\n${command.summary}\n`,
    `Global options:\n${common.map(flagHelp).join('')}`,
    own.length === 0 ? '' : `Command options:\n${own.map(flagHelp).join('')}`,
    command.details === undefined ? '' : `Details:\n${command.details}\n`,
    examples(command),
    command.aliases.length === 0 ? '' : `Aliases: ${command.aliases.join(', ')}\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function examples({ examples: lines }: Documented): string {
  return lines === undefined ? '' : `Examples:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

function flagHelp([name, spec]: readonly [string, FlagSpec<unknown>]): string {
  const spellings = [...(spec.aliases ?? []), name].map((text) =>
    text.length === 1 ? `-${text}` : `--${text}`,
  );
  const value = spec.kind === 'value' ? ` ${spec.placeholder ?? '<value>'}` : '';
  return `${spellings.join(', ')}${value}\n    ${spec.help}\n`;
}
