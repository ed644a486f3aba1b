/**
 * The measured half of bench/reconcile.ts, bundled before it runs as packed charms are: `prepare` writes databags
 * and a journal, `database` and `manager` do what a dispatch of the charm does with them and tell what it cost.
 *
 *   node reconcile-dispatch.cjs MODE SCALE
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupRunner } from '#backup-runner';
import {
  type BackupProvider,
  encodeJobStatuses,
  encodeJobs,
  type Job,
  type JobStatus,
  parseJobs,
  type StorageConfig,
} from '#database-backup';
import type { CharmBase } from '#ops';
import { systemClock } from '#system';
import { encodeHistory, parseHistory } from '../charms/backup-manager/src/history.ts';
import { newEntry, planReconcile } from '../charms/backup-manager/src/reconcile.ts';
import { createS3Storage } from '../charms/backup-manager/src/s3-storage.ts';
import type { DatabaseTypes } from '../charms/database/src/charm-types.ts';
import { JobDesk } from '../charms/database/src/job-desk.ts';
import { encodeClaims, encodeLedger, encodeOutcomes } from '../charms/database/src/ledger.ts';
import { jobDirectoryName } from '../lib/backup-runner/job-files.ts';

const NOW = '2026-11-22T10:00:00.000Z';
const UNIT = 'db/0';

export interface Figures {
  readonly charm: string;
  readonly jobs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** An encrypted backup on a server. */
export interface Sealed {
  readonly config: StorageConfig;
  readonly prefix: string;
  readonly artefactPath: string;
  readonly passphrase: string;
}

export interface Scale {
  readonly jobs: number;
  readonly relations: number;
  readonly stateDirectory: string;
  readonly sealed: Sealed;
}

function jobsOf(relation: number, { jobs, relations }: Scale): readonly Job[] {
  const count =
    Math.floor((relation + 1) * (jobs / relations)) - Math.floor(relation * (jobs / relations));
  return Array.from({ length: count }, (_, index) => ({
    jobId: `job-${String(relation).padStart(4, '0')}-${String(index).padStart(32, '0')}`,
    jobType: 'backup',
    compression: true,
    storageConfig: {
      bucket: 'backups',
      'access-key': 'AKIAIOSFODNN7EXAMPLE',
      'secret-key': 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      endpoint: 'https://s3.example.com',
      region: 'eu-1',
      path: 'production',
    },
    requestedAt: NOW,
  }));
}

const relationsOf = (scale: Scale): readonly number[] =>
  Array.from({ length: scale.relations }, (_, id) => id);

/** The databags and the journal as they are found, made by another process so that it does not count. */
async function prepare(scale: Scale): Promise<void> {
  await mkdir(join(scale.stateDirectory, 'bags'), { recursive: true });
  let sequence = 0;
  for (const relation of relationsOf(scale)) {
    const jobs = jobsOf(relation, scale);
    await writeFile(bagPath(scale, relation), encodeJobs(jobs));
    for (const { jobId } of jobs) {
      sequence += 1;
      await writeResult(scale, jobId, sequence);
    }
  }
  const asked = relationsOf(scale).flatMap((relation) =>
    jobsOf(relation, scale).map((job) => ({ relation, job })),
  );
  const outcome = { status: 'success', message: 'backed up' } as const;
  const entry = { unit: UNIT, epoch: 1, isTaken: true, claimedAt: NOW, outcome };
  const bags = {
    ledger: encodeLedger(
      new Map(asked.map(({ relation, job }) => [job.jobId, { ...entry, relation }])),
    ),
    claims: encodeClaims(new Set(asked.map(({ job }) => job.jobId))),
    outcomes: encodeOutcomes(new Map(asked.map(({ job }) => [job.jobId, outcome]))),
    primary: JSON.stringify({ unit: UNIT, epoch: 1 }),
  };
  await writeFile(join(scale.stateDirectory, 'bags', 'peers.json'), JSON.stringify(bags));
  const history = asked.map(({ relation, job }) => ({
    ...newEntry(job, { relationId: relation, database: `db-${relation}`, now: new Date(NOW) }),
    state: 'success' as const,
    finishedAt: NOW,
    message: outcome.message,
  }));
  await writeFile(
    join(scale.stateDirectory, 'bags', 'history.json'),
    encodeHistory(history, 10_000),
  );
}

const bagPath = (scale: Scale, relation: number): string =>
  join(scale.stateDirectory, 'bags', `${relation}.json`);

async function writeResult(scale: Scale, jobId: string, sequence: number): Promise<void> {
  const directory = join(scale.stateDirectory, 'jobs', jobDirectoryName(jobId));
  await mkdir(directory, { recursive: true });
  const claim = { jobId, jobType: 'backup', compression: true, claimedAt: NOW, sequence };
  const artefactPath = `production/model/db/backups/20261122T100000Z-${jobId}/`;
  const isGood = sequence % 10 !== 0;
  const message = '12.5 GiB backed up, 31 MiB of it new in the bucket';
  const result = {
    claim,
    startedAt: NOW,
    finishedAt: NOW,
    outcome: isGood
      ? { status: 'success', artefactPath, size: 13_421_772_800, newBytes: 32_505_856, message }
      : {
          status: 'error',
          failure: { code: 'unavailable', message: 'no answer from the storage' },
        },
    ...(isGood
      ? {}
      : { logTail: Array.from({ length: 20 }, () => `${NOW} info ${'x'.repeat(80)}`) }),
  };
  await writeFile(join(directory, 'result.json'), `${JSON.stringify(result)}\n`);
}

async function dispatchDatabase(scale: Scale): Promise<void> {
  const text = readFileSync(join(scale.stateDirectory, 'bags', 'peers.json'), 'utf8');
  const bag = new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  const databag = {
    get: (key: string) => bag.get(key) || undefined,
    set: (key: string, value: string) => void bag.set(key, value),
  };
  const peers = { units: [], data: () => databag };
  const unit = { name: UNIT, isOwn: true, isLeader: () => true };
  const charm = {
    unit,
    app: { name: 'db' },
    model: { name: 'm', uuid: 'u', getRelation: () => peers },
  };
  const provider = {
    requests: () =>
      relationsOf(scale).map((id) => ({
        relation: { id },
        ...parseJobs(readFileSync(bagPath(scale, id), 'utf8')),
      })),
    publish: (_: object, statuses: readonly JobStatus[]) => void encodeJobStatuses(statuses),
  };
  const silent = { info: () => undefined, warning: () => undefined };
  const runner = new BackupRunner({
    stateDirectory: scale.stateDirectory,
    workerCommand: ['/bin/false'],
    unitName: UNIT,
    charmDir: '/',
    eventName: 'e',
    engineConfig: null,
    clock: systemClock,
    maxConcurrentBackups: 2,
    log: silent,
  });
  const desk = new JobDesk(
    charm as unknown as CharmBase<DatabaseTypes>,
    provider as unknown as BackupProvider,
    systemClock,
  );
  await desk.reconcile({ runner });
  // The status of the unit is made from the jobs as well.
  await runner.jobs();
}

function dispatchManager(scale: Scale): void {
  const text = readFileSync(join(scale.stateDirectory, 'bags', 'history.json'), 'utf8');
  const { history } = planReconcile({
    history: parseHistory(text),
    lastBackups: new Map(),
    living: new Set(relationsOf(scale)),
    relations: relationsOf(scale).map((relationId) => ({
      relationId,
      database: `db-${relationId}`,
      requested: [],
      statuses: [],
      units: [UNIT],
    })),
    isSettled: true,
    now: new Date(),
  });
  encodeHistory(history, 10_000);
}

/** What the actions list-items and recovery-kit do, one after the other, with the history in memory. */
async function dispatchWithKey(scale: Scale): Promise<void> {
  dispatchManager(scale);
  const { config, prefix, artefactPath, passphrase } = scale.sealed;
  const storage = createS3Storage();
  const options = { passphrases: [passphrase], signal: new AbortController().signal };
  await storage.items(config, artefactPath, { ...options, directory: 'base' });
  await storage.recoveryKit(config, prefix, options);
}

const DISPATCHES: Readonly<Record<string, (scale: Scale) => void | Promise<void>>> = {
  database: dispatchDatabase,
  manager: dispatchManager,
  'with key': dispatchWithKey,
};

/** In the measured process: everything a dispatch does, then what it cost. */
async function measure(charm: string, scale: Scale): Promise<void> {
  await DISPATCHES[charm]?.(scale);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const figures: Figures = {
    charm,
    jobs: scale.jobs,
    cpuMs: Math.round((userCPUTime + systemCPUTime) / 1000),
    peakMiB: Math.round(maxRSS / 1024),
  };
  process.stdout.write(JSON.stringify(figures));
}

async function main([mode = '', text = '']: readonly string[]): Promise<void> {
  const scale = JSON.parse(text) as Scale;
  await (mode === 'prepare' ? prepare(scale) : measure(mode, scale));
}

void main(process.argv.slice(2));
