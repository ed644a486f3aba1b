/** One run: the model is deployed, chance is at work for some steps, then nothing is in the way and everything settles. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { processesMatching } from '../../helpers/processes.ts';
import { Chance } from './chance.ts';
import {
  check,
  checkBackups,
  checkContent,
  checkHooks,
  checkLosses,
  checkMemory,
  checkOutcomes,
  checkSecrets,
  must,
} from './invariants.ts';
import { DATABASES, LEADER, MANAGER, type World } from './world.ts';

const VERIFIED = 3;
const SETTLING = { timeoutMs: 300_000 };

/** @param note told of every step */
export async function runSteps(
  world: World,
  steps: number,
  note: (line: string) => void,
): Promise<void> {
  await world.look();
  for (const unit of DATABASES.flatMap((name) => world.units(name))) {
    await world.write(unit);
  }
  const chance = new Chance(world);
  for (let step = 0; step < steps; step += 1) {
    note(`${step} ${await chance.step()}`);
    await world.look();
    await relist(world);
    await check(world);
    checkOutcomes(world);
    checkLosses(world);
  }
  note(`not done: ${chance.missing.join(', ')}`);
}

/** How many jobs of each kind ended how, for the record. */
export function describeEnds({ evidence }: World): string {
  const ends = [...evidence.jobs.values()].map(({ claim, result, isUntold }) => {
    const kind = claim.undoOf === undefined ? claim.jobType : 'undo-restore';
    const end = result?.outcome.status ?? (isUntold === true ? 'not seen' : 'gone with its unit');
    return `${kind} ${end}`;
  });
  const counts = Map.groupBy(ends.toSorted(), (end) => end);
  return [...counts].map(([end, all]) => `${end}: ${all.length}`).join(', ');
}

/** No job is forgotten that was not cleared. */
async function relist(world: World): Promise<void> {
  const now = await world.list();
  const lost = [...world.listed.keys()].filter((jobId) => !now.has(jobId));
  must(lost.length === 0 || now.size > 100, `forgotten: ${lost.join(', ')}`);
  world.listed = now;
  for (const { type, status, database } of now.values()) {
    if (type === 'backup' && status === 'success') {
      world.backedUp.add(database);
    }
  }
}

/** Nothing is in the way any more: everything ends, everything is active, and works. */
export async function settle(world: World): Promise<void> {
  await world.startS3();
  await world.startAgents();
  for (const database of world.unrelated) {
    await world.sandbox.waitFor(`${database} to be related`, async () => {
      await world.relate(database);
      return !world.unrelated.has(database);
    });
  }
  await world.sandbox.waitFor('all jobs to end', async () => await haveAllEnded(world), SETTLING);
  await world.sandbox.waitFor('all to be active', async () => await isQuiet(world), SETTLING);
  await checkAll(world);
}

/** A backup is taken and comes back, of every database. */
export async function proveFresh(world: World): Promise<void> {
  for (const database of DATABASES) {
    const backup = await finish(world, 'create-backup', { database });
    must(backup.status === 'success', `a fresh backup: ${JSON.stringify(backup)}`);
    await world.write(backup.unit ?? '');
    const path = backup['artefact-path'] ?? '';
    const restore = await finish(world, 'restore', { 'artefact-path': path, database });
    must(restore.status === 'success', `a fresh restore: ${JSON.stringify(restore)}`);
  }
  await checkAll(world);
  await checkBackups(world, VERIFIED);
  await checkSecrets(world);
  await checkHooks(world);
}

/** @returns what is left of the run when all of it was ended */
export async function whatIsLeft(world: World): Promise<readonly string[]> {
  const homes = world.places().map(({ directory }) => dirname(directory));
  const clusters = DATABASES.flatMap((name) => world.homesOf(name)).map(({ cluster }) => cluster);
  const processes = await world.destroy();
  const servers = await processesMatching((line) =>
    clusters.some((cluster) => line.includes(`15/${cluster}`)),
  );
  const kept = await Promise.all(
    homes.map(async (home) => ((await readdir(home).catch(() => [])).length > 0 ? [home] : [])),
  );
  return [...processes, ...servers.map((pid) => `a database server, ${pid}`), ...kept.flat()];
}

async function checkAll(world: World): Promise<void> {
  await world.look();
  await relist(world);
  await check(world);
  checkOutcomes(world);
  checkLosses(world);
  await checkMemory(world);
  for (const unit of DATABASES.flatMap((name) => world.units(name))) {
    await world.sandbox.waitFor(
      `${unit} to serve`,
      async () => await checkContent(world, unit),
      SETTLING,
    );
  }
}

async function haveAllEnded(world: World): Promise<boolean> {
  await world.look();
  await relist(world);
  await check(world);
  const open = [...world.listed.values()].filter(
    ({ status }) => status !== 'success' && status !== 'error',
  );
  const taken = DATABASES.flatMap((name) => world.units(name)).flatMap((unit) =>
    world.evidence.open(unit),
  );
  return open.length === 0 && taken.length === 0;
}

async function isQuiet(world: World): Promise<boolean> {
  await world.look();
  return (
    [...DATABASES, MANAGER].every((name) => world.units(name).length === 2) &&
    world.allUnits.every((name) => {
      const unit = world.unit(name);
      return (
        unit?.['workload-status'].current === 'active' && unit['juju-status'].current === 'idle'
      );
    })
  );
}

async function finish(world: World, action: string, params: Readonly<Record<string, string>>) {
  const { status, message, results } = await world.act(LEADER, action, params);
  must(status === 'completed', `${action}: ${status} ${message}`);
  const jobId = results['job-id'] ?? '';
  return await world.sandbox.waitFor(`${action} ${jobId} to end`, async () => {
    world.listed = await world.list();
    const job = world.listed.get(jobId);
    return job?.status === 'success' || job?.status === 'error' ? job : undefined;
  });
}
