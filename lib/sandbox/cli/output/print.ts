/** `--format` and `-o`: one place that prints a document the way it was asked for. */
import { writeFileSync } from 'node:fs';
import type { OutputValue } from '../../go-output/values.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { resolvePath } from '../arguments/files.ts';
import { textFlag } from '../arguments/flag-kinds.ts';
import type { CommandIo } from '../io.ts';
import { toJson } from './json.ts';

/** `-o FILE`, which commands with `--format` take. */
export const outputFlag = textFlag('Specify an output file', {
  aliases: ['o'],
  placeholder: '<file>',
});

/** The document as `json` or `yaml`. */
export function formatDocument(value: OutputValue, format: 'json' | 'yaml'): string {
  return format === 'json' ? toJson(value) : toYaml(value);
}

/** Prints to the file of `-o`, else to standard output. */
export function deliver(text: string, io: CommandIo, file: string | undefined): void {
  if (file === undefined) {
    io.out(text);
  } else {
    writeFileSync(resolvePath(file, io), text);
  }
}
