/** What is dear to make and the same for all: made by the first test file of a run that asks, taken by the others. */
import { join } from 'node:path';
import { acquireFileLock, readFileIfExists, writeFileAtomic } from '#system';

const PATIENCE_MS = 240_000;

/** The run's own folder; gone when the run ends. */
export function runDirectory(): string {
  const directory = process.env['TEST_RUN_DIRECTORY'];
  if (directory === undefined) {
    throw new Error('TEST_RUN_DIRECTORY is not set: run tests with npm test');
  }
  return directory;
}

/** For Node processes that tests start again and again: they begin with code compiled by the first. */
export function compileCache(): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: join(runDirectory(), 'compile-cache') };
}

/** What `make` answered to the first who asked in this run. @param make answers plain data */
export async function shared<T>(name: string, make: () => Promise<T>): Promise<T> {
  const path = join(runDirectory(), `${name}.json`);
  await using turn = await acquireFileLock(`${path}.lock`, PATIENCE_MS);
  if (turn === undefined) {
    throw new Error(`waited in vain for another test file to make ${name}`);
  }
  const known = await readFileIfExists(path);
  if (known !== undefined) {
    return JSON.parse(known) as T;
  }
  const made = await make();
  await writeFileAtomic(path, JSON.stringify(made));
  return made;
}
