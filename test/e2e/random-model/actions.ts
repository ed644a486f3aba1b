/** What chance may do, each with its weight. Every action answers a line for the record of the run. */
import { systemClock } from '#system';
import { killIfThere, processesMatching } from '../../helpers/processes.ts';
import { must } from './invariants.ts';
import { DATABASES, MANAGER, type World } from './world.ts';

export interface Action {
  readonly name: string;
  readonly weight: number;
  /** Every second time undoes the first. */
  readonly isToggle?: boolean;
  /** Name of the action that undoes it, and comes soon: until then little happens. */
  readonly undoneBy?: string;
  /** There is nothing to do while jobs are under way. */
  readonly isAlone?: boolean;
  readonly run: (world: World) => Promise<string>;
}

// It may not come at all, with the agent or the relation away.
const WORKER_COMES_WITHIN_MS = 10_000;
// Nor may this, with S3 away.
const RESTORE_ENDS_WITHIN_MS = 30_000;
const NOTHING = 'nothing, ';
const REFUSED = 'refused, ';

/** What users ask for. */
export const ASKED: readonly Action[] = [
  { name: 'create-backup of all', weight: 6, run: async (world) => ask(world, 'create-backup') },
  {
    name: 'create-backup',
    weight: 12,
    run: async (world) => ask(world, 'create-backup', { database: world.database }),
  },
  { name: 'restore', weight: 14, run: restore },
  { name: 'undo-restore', weight: 5, run: undoRestore },
  { name: 'cancel-job', weight: 7, run: cancel },
];

export const DISTURBANCES: readonly Action[] = [
  { name: 'write', weight: 12, isAlone: true, run: write },
  { name: 'clear-history', weight: 4, run: clearHistory },
  { name: 'kill a worker', weight: 8, run: killWorker },
  { name: 'kill PostgreSQL', weight: 5, run: killPostgres },
  { name: 'kill the daemon', weight: 3, run: killDaemon },
  { name: 'stop an agent', weight: 4, undoneBy: 'start agents', run: stopAgent },
  { name: 'start agents', weight: 8, run: startAgents },
  { name: 'change the leader', weight: 6, run: changeLeader },
  { name: 'replace a unit', weight: 4, run: replaceUnit },
  { name: 'change relations', weight: 6, isToggle: true, run: changeRelation },
  { name: 'rotate keys', weight: 4, run: rotateKeys },
  { name: 'S3 down or up', weight: 6, isToggle: true, run: toggleS3 },
  { name: 'refresh', weight: 4, run: refresh },
];

/** Whether an action found something to do and was not refused, by its answer. */
export function hasWorked(said: string): boolean {
  return !said.startsWith(NOTHING) && !said.startsWith(REFUSED);
}

async function ask(
  world: World,
  action: string,
  params: Readonly<Record<string, string>> = {},
): Promise<string> {
  const said = JSON.stringify(params);
  const { leader } = world;
  if (leader === undefined) {
    return `${NOTHING}the leader is away`;
  }
  const { status, message, results } = await world.act(leader, action, params);
  // A refusal is a sentence; a charm that broke has none.
  must(
    status === 'completed' || (status === 'failed' && message.length > 15),
    `${action} ${said}: ${status} ${message}`,
  );
  must(!/exit status|TypeError|undefined/.test(message), `${action} ${said}: ${message}`);
  const refused = status === 'failed' ? REFUSED : '';
  return `${refused}${said} ${status} ${message}${results['job-ids'] ?? ''}`;
}

/** Of an artefact that is known to be good, into its own or the other database. */
async function restore(world: World): Promise<string> {
  const artefact = world.pick(world.reference.artefacts);
  if (artefact === undefined) {
    return `${NOTHING}no artefact`;
  }
  const [path, { database }] = artefact;
  return await ask(world, 'restore', {
    'artefact-path': path,
    database: world.below(3) === 0 ? world.database : database,
  });
}

/** Of the last restore of a database; where there is none that can be undone, of one that is asked for and waited for. */
async function undoRestore(world: World): Promise<string> {
  const wanted = world.pick(DATABASES.filter((name) => !world.unrelated.has(name)));
  if (wanted === undefined) {
    return `${NOTHING}no database is related`;
  }
  const said = await ask(world, 'undo-restore', { database: wanted });
  if (!said.startsWith(REFUSED)) {
    return said;
  }
  const jobId = openRestore(world, wanted) ?? (await newRestore(world, wanted));
  return jobId !== undefined && (await hasSucceeded(world, jobId))
    ? await ask(world, 'undo-restore', { database: wanted })
    : said;
}

function openRestore(world: World, wanted: string): string | undefined {
  const open = [...world.listed.values()].find(
    ({ database, type, status }) => database === wanted && type === 'restore' && isOpen(status),
  );
  return open?.['job-id'];
}

/** @returns its job, unless it was refused */
async function newRestore(world: World, database: string): Promise<string | undefined> {
  const [path] = world.pick(world.reference.artefacts) ?? [];
  if (path === undefined) {
    return undefined;
  }
  const said = await ask(world, 'restore', { 'artefact-path': path, database });
  return hasWorked(said) ? /job-[0-9a-f-]+/.exec(said)?.[0] : undefined;
}

async function hasSucceeded(world: World, jobId: string): Promise<boolean> {
  const until = performance.now() + RESTORE_ENDS_WITHIN_MS;
  while (performance.now() < until) {
    world.listed = await world.list();
    const { status = 'error' } = world.listed.get(jobId) ?? {};
    if (!isOpen(status)) {
      return status === 'success';
    }
    await systemClock.sleep(500);
  }
  return false;
}

/** Of a job that has not ended, asked for where there is none. */
async function cancel(world: World): Promise<string> {
  const open = [...world.listed.values()].filter(({ status }) => isOpen(status));
  const jobId = world.pick(open)?.['job-id'] ?? (await newBackup(world));
  if (jobId === undefined) {
    return `${NOTHING}no job`;
  }
  const said = await ask(world, 'cancel-job', { 'job-id': jobId });
  if (hasWorked(said)) {
    world.bounds.cancelled(jobId);
  }
  return said;
}

/** @returns its job, unless it was refused */
async function newBackup(world: World): Promise<string | undefined> {
  const said = await ask(world, 'create-backup', { database: world.database });
  return hasWorked(said) ? /job-[0-9a-f-]+/.exec(said)?.[0] : undefined;
}

/** New rows, where no job works on the server or is about to. */
async function write(world: World): Promise<string> {
  const database = world.database;
  const unit = world.pick(world.units(database).filter((one) => world.isUp(one)));
  const isBusy = [...world.listed.values()].some(
    (job) => job.database === database && isOpen(job.status),
  );
  if (unit === undefined || isBusy || world.evidence.open(unit).length > 0) {
    return `${NOTHING}${database} is busy`;
  }
  await world.write(unit);
  return unit;
}

async function clearHistory(world: World): Promise<string> {
  const before = await world.list();
  const said = await ask(world, 'clear-history');
  if (hasWorked(said)) {
    const after = await world.list();
    await world.evidence.look();
    const gone = [...before.values()].filter(
      (job) =>
        isOpen(job.status) &&
        !after.has(job['job-id']) &&
        world.evidence.jobs.get(job['job-id'])?.result === undefined,
    );
    must(gone.length === 0, `clear-history took ${JSON.stringify(gone)}`);
    world.listed = after;
  }
  return said;
}

/** One that works, or the first of a backup that is asked for. */
async function killWorker(world: World): Promise<string> {
  const pid = world.pick(await workers(world)) ?? (await newWorker(world));
  if (pid === undefined) {
    return `${NOTHING}no worker`;
  }
  killIfThere(pid);
  await world.evidence.look();
  for (const [jobId, { gate }] of world.evidence.jobs) {
    if (gate?.by === 'worker' && gate.identity.pid === pid) {
      world.bounds.crashed(jobId);
      return jobId;
    }
  }
  return 'one that had not begun';
}

async function newWorker(world: World): Promise<number | undefined> {
  const jobId = await newBackup(world);
  if (jobId === undefined) {
    return undefined;
  }
  const until = performance.now() + WORKER_COMES_WITHIN_MS;
  while (performance.now() < until && world.evidence.jobs.get(jobId)?.result === undefined) {
    const [pid] = await workers(world);
    if (pid !== undefined) {
      return pid;
    }
    await systemClock.sleep(100);
  }
  return undefined;
}

async function workers(world: World): Promise<readonly number[]> {
  return await processesMatching(
    (line) => line.includes(world.sandbox.dataDirectory) && line.includes('worker.js'),
  );
}

/** All processes of a unit's server. */
async function killPostgres(world: World): Promise<string> {
  const unit = world.pick(world.units(world.database));
  if (unit === undefined) {
    return `${NOTHING}no unit`;
  }
  const { cluster } = world.home(unit);
  const pids = await processesMatching(
    (line) => line.includes(`/${cluster} `) || line.startsWith(`postgres: 15/${cluster}: `),
  );
  for (const pid of pids) {
    killIfThere(pid);
  }
  return `${unit}: ${pids.length} processes`;
}

async function killDaemon(world: World): Promise<string> {
  await world.sandbox.juju('sandbox', 'kill-daemon');
  await world.sandbox.juju('bootstrap');
  world.bounds.disturbed();
  return '';
}

async function stopAgent(world: World): Promise<string> {
  // Who goes may be gone by now, and a going one that stopped would never be.
  const unit = world.pick(world.allUnits.filter((one) => !world.removed.has(one)));
  // One at a time: with all of them away nothing happens at all.
  if (unit === undefined || world.stoppedAgents.size > 0) {
    return `${NOTHING}one is away`;
  }
  world.stoppedAgents.add(unit);
  await world.sandbox.juju('sandbox', 'stop-agent', unit);
  world.bounds.disturbed();
  return unit;
}

async function startAgents(world: World): Promise<string> {
  if (world.stoppedAgents.size === 0) {
    return `${NOTHING}all are there`;
  }
  await world.startAgents();
  return '';
}

async function changeLeader(world: World): Promise<string> {
  const application = world.pick([...DATABASES, MANAGER]) ?? MANAGER;
  const units = Object.entries(world.status.applications[application]?.units ?? {});
  const [unit] = world.pick(units.filter(([, { leader }]) => leader !== true)) ?? [];
  if (unit === undefined || world.stoppedAgents.has(unit)) {
    return `${NOTHING}nobody else`;
  }
  return `${unit} ${(await world.sandbox.tryJuju(['sandbox', 'force-leader', unit])).stderr}`;
}

async function replaceUnit(world: World): Promise<string> {
  const application = world.pick([...DATABASES, MANAGER]) ?? MANAGER;
  const units = world.units(application);
  const unit = world.pick(units);
  if (
    unit === undefined ||
    units.length !== 2 ||
    units.some((one) => world.removed.has(one)) ||
    world.stoppedAgents.size > 0
  ) {
    return `${NOTHING}not now`;
  }
  world.removed.add(unit);
  world.reference.contents.delete(unit);
  world.bounds.disturbed();
  await world.sandbox.juju('remove-unit', unit, '--no-prompt');
  await world.sandbox.juju('add-unit', application);
  return unit;
}

async function changeRelation(world: World): Promise<string> {
  const database = world.pick(world.unrelated) ?? world.database;
  if (world.unrelated.has(database)) {
    return `${database} related: ${await world.relate(database)}`;
  }
  await world.sandbox.juju('remove-relation', database, MANAGER);
  world.unrelated.add(database);
  world.everUnrelated.add(database);
  return `${database} unrelated`;
}

async function rotateKeys(world: World): Promise<string> {
  world.replaceKeys();
  world.bounds.disturbed();
  if (world.below(2) === 0) {
    const args = ['update-secret', world.secretName, ...(await world.keyFiles())];
    await world.sandbox.juju(...args);
    return 'a new revision';
  }
  const name = world.nextSecretName();
  const uri = await world.sandbox.juju('add-secret', name, ...(await world.keyFiles()));
  await world.sandbox.juju('grant-secret', name, MANAGER);
  await world.sandbox.juju('config', MANAGER, `credentials=${uri.trim()}`);
  return 'another secret';
}

async function toggleS3(world: World): Promise<string> {
  if (world.isS3Up) {
    await world.stopS3();
    return 'down';
  }
  await world.startS3();
  world.bounds.disturbed();
  return 'up';
}

async function refresh(world: World): Promise<string> {
  const application = world.pick([...DATABASES, MANAGER]) ?? MANAGER;
  const path = world.charms.get(application === MANAGER ? MANAGER : 'database') ?? '';
  await world.sandbox.juju('refresh', application, '--path', path);
  return application;
}

function isOpen(status: string): boolean {
  return status !== 'success' && status !== 'error';
}
