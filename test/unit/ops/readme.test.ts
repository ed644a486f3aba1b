import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

test.each([
  'test/fixtures/ops/example-charm/charmcraft.yaml',
  'test/fixtures/ops/example-charm/charm.ts',
  'test/fixtures/ops/example-charm/main.ts',
  'test/unit/ops/example-charm.test.ts',
])('the README shows %s as it is', async (path) => {
  const readme = await readFile('lib/ops/README.md', 'utf8');
  expect(readme).toContain(asShown(await readFile(path, 'utf8')));
});

test('all code in the README of the testing kit is run by tests, all of which it shows', async () => {
  const readme = await readFile('lib/ops/testing/README.md', 'utf8');
  const examples = await readFile('test/unit/ops/testing-examples.test.ts', 'utf8');
  const matchers = await readFile('test/helpers/ops-matchers.ts', 'utf8');
  const shown = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
  const unknown = shown.filter((code) => !`${examples}\n${matchers}`.includes(code));
  expect(unknown).toEqual([]);
  const body = examples.slice(examples.indexOf('const meta'));
  expect(body.replaceAll(/\s/g, '')).toBe(shown.slice(0, -1).join('').replaceAll(/\s/g, ''));
});

test.each([
  'test/fixtures/ops/example-charm/charmcraft.yaml',
  'test/fixtures/ops/example-charm/charm.ts',
  'test/fixtures/ops/python-twin/charm.py',
  'test/fixtures/ops/python-twin/test_charm.py',
  'test/unit/ops/example-charm.test.ts',
])('the page for those who come from Python shows %s as it is', async (path) => {
  const page = await readFile('lib/ops/docs/coming-from-python-ops.md', 'utf8');
  expect(page).toContain(asShown(await readFile(path, 'utf8')));
});

/** Paths as they are where the files lie together. */
function asShown(text: string): string {
  return text
    .replace('../../fixtures/ops/example-charm/', './')
    .replace("'test/fixtures/ops/example-charm'", "'.'");
}
