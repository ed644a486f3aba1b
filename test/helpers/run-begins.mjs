// Before the first test of a run: a folder for what its test files share, see shared-things.ts.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default async function begin() {
  // The workers inherit it.
  process.env.TEST_RUN_DIRECTORY = await mkdtemp(join(tmpdir(), 'test-run-'));
}
