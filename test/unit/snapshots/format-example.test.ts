/**
 * The example in FORMAT.md is what is really written. Where it may change (another version of zstd, another cutting), it is
 * written anew with UPDATE_FORMAT_EXAMPLE=1 in the environment; then look at the difference.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { formatExample } from '../../helpers/format-example.ts';

const DOCUMENT = join(projectRoot, 'lib/snapshots/FORMAT.md');
const EXAMPLE = /(?<=<!-- example -->\n).*(?=<!-- \/example -->)/s;

test('the example in FORMAT.md is, byte for byte, what is written', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const written = `\n${await formatExample()}\n\n`;
  if (process.env['UPDATE_FORMAT_EXAMPLE'] === '1') {
    await writeFile(
      DOCUMENT,
      text.replace(EXAMPLE, () => written),
    );
  }
  expect(EXAMPLE.exec(await readFile(DOCUMENT, 'utf8'))?.[0]).toBe(written);
});
