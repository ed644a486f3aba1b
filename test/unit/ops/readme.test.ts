import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

test.each([
  'test/fixtures/ops/example-charm/charmcraft.yaml',
  'test/fixtures/ops/example-charm/charm.ts',
  'test/fixtures/ops/example-charm/main.ts',
  'test/unit/ops/example-charm.test.ts',
])('the README shows %s as it is', async (path) => {
  const readme = await readFile('lib/ops/README.md', 'utf8');
  const example = (await readFile(path, 'utf8'))
    .replace('../../fixtures/ops/example-charm/', './')
    .replace("'test/fixtures/ops/example-charm'", "'.'");
  expect(readme).toContain(example);
});
