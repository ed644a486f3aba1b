/** The command `ops-types`: writes the types of charms beside their code, or says that they are stale. */
import { access, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError, HintError, hasErrorCode } from '#system';
import { readMetaSources } from '../load-meta.ts';
import { charmTypesModule } from './charm-type.ts';

const USAGE = `usage: ops-types DIR... [--check] [--out FILE]

Writes DIR/src/charm-types.ts from DIR/charmcraft.yaml (or metadata.yaml with actions.yaml and config.yaml).

  --check     write nothing; exit with 1 when a file is not what would be written
  --out FILE  write FILE instead; for one DIR
`;

/** Where the command writes to; a process is one. */
export interface Output {
  readonly stdout: { readonly write: (text: string) => unknown };
  readonly stderr: { readonly write: (text: string) => unknown };
}

/** The exit code: 0, 1 when types are stale or metadata cannot be used, 2 for wrong arguments. */
export async function runOpsTypes(args: readonly string[], output: Output): Promise<number> {
  const command = parseCommand(args);
  if (typeof command === 'string') {
    output.stderr.write(`${command}\n\n${USAGE}`);
    return 2;
  }
  if (command.help) {
    output.stdout.write(USAGE);
    return 0;
  }
  let failures = 0;
  for (const directory of command.directories) {
    try {
      // One after the other: their messages are read in this order.
      // oxlint-disable-next-line no-await-in-loop
      const done = await (command.check ? check : write)(directory, command.out);
      output.stdout.write(`${done}\n`);
    } catch (error) {
      if (!(error instanceof HintError)) {
        throw error;
      }
      failures += 1;
      output.stderr.write(`ERROR ${describeError(error)}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

interface Command {
  readonly directories: readonly string[];
  readonly check: boolean;
  readonly out: string | undefined;
  readonly help: boolean;
}

/** What is wrong with the arguments, as text. */
function parseCommand(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        check: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (positionals.length === 0 && !values.help) {
      return 'ERROR no directory of a charm given';
    }
    if (positionals.length > 1 && values.out !== undefined) {
      return 'ERROR --out is for one directory';
    }
    return { ...values, out: values.out, directories: positionals };
  } catch (error) {
    return `ERROR ${Error.isError(error) ? error.message : String(error)}`;
  }
}

async function write(directory: string, out: string | undefined): Promise<string> {
  const path = pathOf(directory, out);
  const wanted = await typesOf(directory);
  if ((await readIfExists(path)) === wanted) {
    return `${path} is up to date`;
  }
  await requireDirectory(dirname(path));
  await writeFile(path, wanted);
  return `wrote ${path}`;
}

/** @throws HintError when the file is absent or stale. */
async function check(directory: string, out: string | undefined): Promise<string> {
  const path = pathOf(directory, out);
  const wanted = await typesOf(directory);
  const found = await readIfExists(path);
  if (found === wanted) {
    return `${path} is up to date`;
  }
  const command = ['npx ops-types', directory, ...(out === undefined ? [] : ['--out', out])];
  throw new HintError(
    found === undefined
      ? `${path} does not exist`
      : `${path} is stale: ${firstDifference(found, wanted)}`,
    { code: 'stale-types', hint: `run: ${command.join(' ')}` },
  );
}

async function typesOf(directory: string): Promise<string> {
  return charmTypesModule(await readMetaSources(directory));
}

function pathOf(directory: string, out: string | undefined): string {
  return out ?? join(directory, 'src', 'charm-types.ts');
}

function firstDifference(found: string, wanted: string): string {
  const [have, want] = [found.split('\n'), wanted.split('\n')];
  const at = want.findIndex((line, index) => line !== have[index]);
  const index = at === -1 ? want.length : at;
  return `line ${index + 1} is ${shown(have[index])}, the metadata say ${shown(want[index])}`;
}

function shown(line: string | undefined): string {
  return line === undefined ? 'nothing' : `\`${line.trim()}\``;
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

async function requireDirectory(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    throw new HintError(`cannot write types into ${path}: there is no such directory`, {
      code: 'no-directory',
      hint: 'create it, or name another file with --out',
      cause: error,
    });
  }
}
