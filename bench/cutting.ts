/**
 * What a way of cutting costs on real database files: bytes a first backup stores, new bytes after each change, and bytes of
 * index for each GiB of data, for PostgreSQL and MariaDB. Prints a table a database, writes bench/results/cutting.json.
 * As root, since it installs and runs the servers.
 *
 *   node bench/cutting.ts [--megabytes 400] [--level 3] [--databases pgbench,real,mariadb]
 *
 * Bytes do not depend on how busy the machine is.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { constants, createZstdCompress } from 'node:zlib';
import { projectRoot } from '#tooling';
import { aMariadb, aPostgresql, type TestDatabase } from './cutting/databases.ts';
import { allMethods, type Stored } from './cutting/methods.ts';

interface Figure extends Stored {
  readonly database: string;
  readonly method: string;
  readonly step: string;
  /** Size of all files at that step. */
  readonly totalBytes: number;
}

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '400' },
    level: { type: 'string', default: '3' },
    databases: { type: 'string', default: 'pgbench,real,mariadb' },
  },
});
await main();

async function main(): Promise<void> {
  const figures: Figure[] = [];
  for (const kind of values.databases.split(',')) {
    await using database = await aDatabase(kind, Number(values.megabytes));
    const ofThis = await measure(database);
    print(database, ofThis);
    figures.push(...ofThis);
  }
  const directory = join(projectRoot, 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const text = JSON.stringify({ options: values, when: new Date(), figures }, undefined, 2);
  await writeFile(join(directory, 'cutting.json'), `${text}\n`);
}

async function aDatabase(kind: string, megabytes: number): Promise<TestDatabase> {
  if (kind === 'mariadb') {
    return await aMariadb(megabytes);
  }
  if (kind !== 'pgbench' && kind !== 'real') {
    throw new Error(`there is no database ${kind}; there are pgbench, real and mariadb`);
  }
  return await aPostgresql(kind, megabytes);
}

async function measure(database: TestDatabase): Promise<readonly Figure[]> {
  const level = Number(values.level);
  const methods = allMethods({ level });
  const figures: Figure[] = [];
  for (const step of database.steps) {
    await database.perform(step);
    let totalBytes = 0;
    for await (const { path, content } of database.files()) {
      totalBytes += content.length;
      for (const method of methods) {
        method.file(path, content);
      }
    }
    const facts = { database: database.name, step: step.name, totalBytes };
    figures.push(
      ...methods.map((method) => ({ ...facts, method: method.name, ...method.finish() })),
    );
    if (step === database.steps[0]) {
      const newBytes = await streamSize(database, level);
      figures.push({ ...facts, method: 'one stream', newBytes, indexBytes: 0, chunks: 0 });
    }
    process.stderr.write(`${database.name}: ${step.name}\n`);
  }
  return figures;
}

/** What `zstd` makes of all files in a row. */
async function streamSize(database: TestDatabase, level: number): Promise<number> {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const contents = async function* (): AsyncIterable<Buffer> {
    for await (const { content } of database.files()) {
      yield content;
    }
  };
  let bytes = 0;
  for await (const piece of Readable.from(contents()).pipe(createZstdCompress({ params }))) {
    bytes += (piece as Buffer).length;
  }
  return bytes;
}

function print(database: TestDatabase, figures: readonly Figure[]): void {
  const [first, ...changes] = database.steps;
  const total = figures.find(({ step }) => step === first?.name)?.totalBytes ?? 0;
  const rows = [...Map.groupBy(figures, ({ method }) => method)].map(([method, all]) => {
    const of = (step: string | undefined): Figure | undefined =>
      all.find((figure) => figure.step === step);
    const index = ((of(first?.name)?.indexBytes ?? 0) / total) * 1024 * 1024;
    const cells = [of(first?.name), ...changes.map(({ name }) => of(name))];
    return [
      method,
      index === 0 ? '' : index.toFixed(0),
      ...cells.map((figure) => (figure === undefined ? '' : (figure.newBytes / 1e6).toFixed(1))),
    ];
  });
  process.stdout.write(
    `\n${database.name}: ${(total / 1e6).toFixed(0)} MB of files; MB stored with zstd ${values.level}, index not counted\n\n`,
  );
  const head = ['cutting', 'index KiB a GiB', ...database.steps.map(({ name }) => name)];
  for (const row of [head, head.map(() => '---'), ...rows]) {
    process.stdout.write(`| ${row.join(' | ')} |\n`);
  }
}
