/**
 * Two databases and one manager, packed, two units each, and chance: jobs, cancels, kills, leaders, units, relations,
 * keys, storage and charms that change. RANDOM_MODEL_STEPS sets how long, TEST_SEED which chance.
 */
import { afterAll, expect, jest, test } from '@jest/globals';
import { chooseSeed, seededRandom } from '../helpers/random.ts';
import { describeEnds, proveFresh, runSteps, settle, whatIsLeft } from './random-model/run.ts';
import { World } from './random-model/world.ts';

const STEPS = Number(process.env['RANDOM_MODEL_STEPS'] ?? 18);
const seed = chooseSeed();
const record: string[] = [];
let world: World | undefined;

jest.setTimeout(600_000 + STEPS * 60_000);

afterAll(async () => {
  await world?.destroy();
});

test(`keeps its word through ${STEPS} steps of chance (TEST_SEED=${seed})`, async () => {
  try {
    world = await World.create(seededRandom(seed));
    await runSteps(world, STEPS, note);
    await settle(world);
    note(describeEnds(world));
    await proveFresh(world);
    expect(world.evidence.violations).toEqual([]);
    const ending = world;
    world = undefined;
    expect(await whatIsLeft(ending)).toEqual([]);
  } catch (error) {
    const log = await world?.sandbox.tryJuju(['debug-log', '--replay', '--no-tail', '-n', '300']);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${text}\n\n${record.join('\n')}\n\n${log?.stdout ?? ''}`, { cause: error });
  }
});

function note(line: string): void {
  record.push(line);
  if (process.env['RANDOM_MODEL_TRACE'] !== undefined) {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  }
}
