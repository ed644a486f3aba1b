/** What must hold whatever chance does, seen from outside: disk, SQL, bucket, and what juju prints. */
import { hits, tracesInFiles, tracesInProcesses } from '../../helpers/traces.ts';
import { bare } from './reference.ts';
import { DATABASES, LEADER, MANAGER, type World } from './world.ts';

export function must(holds: boolean, otherwise: string): void {
  if (!holds) {
    throw new Error(otherwise);
  }
}

/** After each step. */
export async function check(world: World): Promise<void> {
  await world.evidence.look();
  const { violations, jobs } = world.evidence;
  must(violations.length === 0, violations.join('\n'));
  world.reference.apply(jobs.values());
  world.bounds.forget((jobId) => {
    const unit = jobs.get(jobId)?.unit;
    return unit === undefined || !world.reference.contents.has(unit);
  });
  if (world.stoppedAgents.size > 0) {
    world.bounds.disturbed();
  }
  const late = world.bounds.late(jobs);
  must(late.length === 0, late.join('\n'));
  for (const unit of DATABASES.flatMap((name) => world.units(name))) {
    if (world.isUp(unit)) {
      await checkContent(world, unit);
    }
  }
}

/**
 * A server holds what the model says.
 * @returns false where that cannot be told: it restores, or was killed and is not up again
 */
export async function checkContent(world: World, unit: string): Promise<boolean> {
  await world.evidence.look();
  world.reference.apply(world.evidence.jobs.values());
  const expected = world.reference.contents.get(unit);
  const isRestoring = () =>
    world.evidence.open(unit).some(({ claim }) => claim.jobType === 'restore');
  if (isRestoring()) {
    return false;
  }
  const found = await world.contentOf(unit).catch(() => undefined);
  await world.evidence.look();
  world.reference.apply(world.evidence.jobs.values());
  if (found === undefined || isRestoring() || world.reference.contents.get(unit) !== expected) {
    return false;
  }
  must(world.reference.accepts(unit, found), `${unit} holds ${found}\ninstead of ${expected}`);
  return true;
}

/** What the manager tells of each job agrees with what its unit recorded, but where it could not be told. */
export function checkOutcomes(world: World): void {
  for (const job of world.listed.values()) {
    const result = world.evidence.jobs.get(job['job-id'])?.result;
    const hasEnded = job.status === 'success' || job.status === 'error';
    // Of a unit or a relation that is gone the manager hears no more.
    const isUntold = job['error-code'] === 'lost';
    must(
      result === undefined || !hasEnded || isUntold || job.status === result.outcome.status,
      `${job['job-id']} is told as ${JSON.stringify(job)}, and ended as ${JSON.stringify(result)}`,
    );
    must(
      job.status !== 'success' || result?.outcome.status === 'success',
      `${job['job-id']} is told as a success, and no unit recorded one`,
    );
  }
}

/** What is said to be gone is gone: a leader that went may have taken all it left for gone. */
export function checkLosses({ listed, everUnrelated, removed }: World): void {
  for (const { 'job-id': jobId, database, unit = '', message = '' } of listed.values()) {
    must(
      !message.startsWith('lost: relation to ') || everUnrelated.has(database),
      `${jobId} is lost with a relation that was never removed`,
    );
    must(
      !/^lost: unit .* (is gone|was removed)/.test(message) || removed.has(unit),
      `${jobId} is lost with ${unit}, which was never removed`,
    );
  }
}

/** The last backup of a database is known as long as its relation is there, whoever leads, and also when its job was cleared. */
export async function checkMemory(world: World): Promise<void> {
  const { results } = await world.sandbox.run(LEADER, 'list-databases', { format: 'json' });
  const known = JSON.parse(results['databases'] ?? '[]') as readonly {
    readonly database: string;
    readonly 'last-backup'?: string;
  }[];
  const forgotten = known.filter(
    (one) =>
      one['last-backup'] === undefined &&
      world.backedUp.has(one.database) &&
      !world.everUnrelated.has(one.database),
  );
  must(forgotten.length === 0, `no last backup is known of ${JSON.stringify(forgotten)}`);
}

/** Success means restorable; and nothing is there twice. */
export async function checkBackups(world: World, verified: number): Promise<void> {
  const { results } = await world.sandbox.run(LEADER, 'list-backups', {
    format: 'json',
    limit: '200',
  });
  const listed = (
    JSON.parse(results['backups'] ?? '[]') as readonly { readonly 'artefact-path': string }[]
  ).map((backup) => bare(backup['artefact-path']));
  const paths = [...world.reference.artefacts.keys()];
  const missing = paths.filter((path) => !listed.includes(path));
  must(missing.length === 0, `successful, and not in the bucket: ${missing.join(', ')}`);
  const ids = listed.map((path) => path.replace(/^.*-(?=job-)/, ''));
  must(new Set(ids).size === ids.length, `a job has two artefacts: ${listed.join(', ')}`);
  for (const path of paths.toSorted(() => world.below(3) - 1).slice(0, verified)) {
    const {
      status,
      message,
      results: said,
    } = await world.sandbox.run(LEADER, 'verify-backup', {
      'artefact-path': path,
    });
    must(status === 'completed', `${path}: ${status} ${message} ${JSON.stringify(said)}`);
  }
}

/** No key of the storage in anything juju prints, in a file of a unit, a process or the bucket. */
export async function checkSecrets(world: World): Promise<void> {
  const { sandbox, planted } = world;
  const units = world.allUnits;
  for (const args of [
    ...units.map((unit) => ['show-unit', unit]),
    ['status', '--format', 'yaml', '--relations'],
    ['config', MANAGER],
    ['secrets', '--format', 'yaml'],
    ['operations', '--format', 'yaml'],
    ['debug-log', '--replay', '--no-tail', '--level', 'TRACE'],
  ]) {
    const found = hits(await sandbox.juju(...args), planted);
    must(found.length === 0, `juju ${args.join(' ')} shows ${found.join(', ')}`);
  }
  for (const directory of [
    ...units.map((unit) => world.home(unit).stateDirectory),
    world.s3Directory,
  ]) {
    const { found } = await tracesInFiles(directory, planted);
    must(found.length === 0, found.join('\n'));
  }
  const { found } = await tracesInProcesses(planted, new Set([process.pid]));
  must(found.length === 0, found.join('\n'));
}

/** Hooks that failed by themselves; those that were killed are none of the charm's. */
export async function checkHooks(world: World): Promise<void> {
  const log = await world.sandbox.juju('debug-log', '--replay', '--no-tail');
  const failed = log.split('\n').filter((line) => /hook "[^"]*" .*failed: exit status /.test(line));
  must(failed.length === 0, failed.join('\n'));
}
