/** What importing the SDK loads: every dispatch pays for it. */
import { expect, test } from '@jest/globals';
import { runProcess } from '#system';

const PROGRAM = `
import { createRequire } from 'node:module';
import { DataModel } from '#ops';
const { cache } = createRequire(process.cwd() + '/package.json');
const hasCompiler = () => Object.keys(cache).some((path) => path.includes('/ajv/'));
const seen = [hasCompiler()];
const model = new DataModel({ schema: { properties: { a: {} } } });
seen.push(hasCompiler());
await model.fromValues({ a: 1 }, 'the test');
seen.push(hasCompiler());
console.log(JSON.stringify(seen));
`;

test('the schema compiler is loaded when a data model is first used, not before', async () => {
  const args = ['--input-type=module', '--eval', PROGRAM];
  const { stdout } = await runProcess(process.execPath, args, { timeoutMs: 30_000 });
  expect(JSON.parse(stdout)).toEqual([false, false, true]);
});
