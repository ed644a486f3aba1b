/** The story the demo tells: deploy, relate, back up, damage, restore, compare. */
import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { formatBytes, formatDuration, HintError, systemClock } from '#system';
import { packCharm } from '#tooling';
import type { Command } from './commands.ts';
import type { Narrator } from './narrator.ts';
import { compareStates, type DatabaseState, SampleDatabase } from './sample-database.ts';

export interface DemoOptions {
  /** Leaves everything running at the end. */
  readonly keep: boolean;
  /** Size of the sample data in units of about 15 MB. */
  readonly scale: number;
  readonly s3Port: number;
  readonly dataDirectory: string;
  readonly s3Directory: string;
}

/** Who tells, and the two commands. */
export interface Stage {
  readonly narrator: Narrator;
  readonly juju: Command;
  readonly s3: Command;
}

const MANAGER = 'backup-manager/0';
const BUCKET = 'backups';
// The whole demo should take two minutes; anything that takes five has gone wrong.
const PATIENCE_MS = 300_000;

export async function runStory(stage: Stage, options: DemoOptions): Promise<void> {
  const { narrator, juju } = stage;
  const times = new Map<string, number>();
  const timed = async <T>(name: string, step: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await step();
    times.set(name, performance.now() - start);
    return result;
  };
  await timed('deploy', () => deploy(stage, options));
  await configureStorage(stage, options);
  await juju(['relate', 'db', 'backup-manager']);
  await waitUntilSettled(stage);
  await juju(['status']);
  const database = await connect(stage);
  const before = await timed('load', () => loadData(stage, database, options));
  const artefactPath = await timed('backup', () => backUp(stage));
  await juju(['run', MANAGER, 'list-backups']);
  await damage(stage, database, before);
  await timed('restore', () => restore(stage, artefactPath));
  await compare(stage, await connect(stage, { quiet: true }), before);
  narrator.heading('Afterwards');
  await juju(['run', MANAGER, 'list-jobs']);
  await juju(['run', MANAGER, 'clear-history']);
  await juju(['status', '--relations']);
  await summarise(stage, options, { times, database, artefactPath });
}

async function deploy({ narrator, juju }: Stage, options: DemoOptions): Promise<void> {
  narrator.heading('A sandbox, and the two charms');
  const charms = await Promise.all([packCharm('database'), packCharm('backup-manager')]);
  for (const { path } of charms) {
    narrator.say(`packed ${here(path)}, ${formatBytes((await stat(path)).size)}`);
  }
  await juju(['bootstrap']);
  const [database, manager] = charms.map(({ path }) => here(path));
  await juju(['deploy', database ?? '', 'db', '--config', 'engine=postgresql']);
  await juju(['deploy', manager ?? '']);
  narrator.say(`(the sandbox keeps its state in ${options.dataDirectory})`);
}

async function configureStorage(
  { narrator, juju, s3 }: Stage,
  options: DemoOptions,
): Promise<void> {
  narrator.heading('An S3 server for development, and its credentials as a Juju secret');
  await s3([
    'start',
    '--detach',
    '--port',
    String(options.s3Port),
    '--data',
    options.s3Directory,
    '--bucket',
    BUCKET,
  ]);
  const keys = join(options.s3Directory, 'credentials.yaml');
  const uri = (await juju(['add-secret', 's3-credentials', '--file', keys])).trim();
  await juju(['grant-secret', 's3-credentials', 'backup-manager']);
  await juju([
    'config',
    'backup-manager',
    `endpoint=http://127.0.0.1:${options.s3Port}`,
    `bucket=${BUCKET}`,
    `credentials=${uri}`,
  ]);
}

async function waitUntilSettled({ narrator, juju }: Stage): Promise<void> {
  await poll(narrator, async () => {
    const status = parse(await juju(['status', '--format', 'json'], { quiet: true })) as Status;
    const units = Object.entries(status.applications).flatMap(([, application]) =>
      Object.entries(application.units ?? {}),
    );
    const broken = units.find(([, unit]) => unit['workload-status'].current === 'error');
    if (broken !== undefined) {
      throw new HintError(`unit ${broken[0]}: ${broken[1]['workload-status'].message ?? 'error'}`, {
        code: 'unit-error',
      });
    }
    const done = units.every(
      ([, unit]) =>
        unit['workload-status'].current === 'active' && unit['juju-status'].current === 'idle',
    );
    const text = units
      .map(
        ([name, unit]) =>
          `${name}: ${unit['workload-status'].message ?? unit['workload-status'].current}`,
      )
      .join('; ');
    return { done, text };
  });
}

interface Status {
  readonly applications: Readonly<
    Record<
      string,
      {
        readonly units?: Readonly<
          Record<
            string,
            {
              readonly 'workload-status': { readonly current: string; readonly message?: string };
              readonly 'juju-status': { readonly current: string };
            }
          >
        >;
      }
    >
  >;
}

async function connect(
  { juju }: Stage,
  options: { quiet?: boolean } = {},
): Promise<SampleDatabase> {
  const output = await juju(['run', 'db/0', 'get-connection'], {
    ...options,
    mask: (text) => [results(text)['password'] ?? ''].filter((secret) => secret !== ''),
  });
  const found = results(output);
  return new SampleDatabase({
    host: required(found, 'host'),
    port: required(found, 'port'),
    username: required(found, 'username'),
    password: required(found, 'password'),
    database: required(found, 'database'),
  });
}

async function loadData(
  { narrator }: Stage,
  database: SampleDatabase,
  options: DemoOptions,
): Promise<DatabaseState> {
  narrator.heading('Data worth keeping');
  narrator.say(`pgbench -i -s ${options.scale}, and 2000 transactions …`);
  await database.load(options.scale);
  const state = await database.state();
  narrator.say(`loaded ${formatBytes(await database.sizeBytes())}; every row read and digested:`);
  narrator.output(compareStates(state, state).lines.join('\n'));
  return state;
}

async function backUp(stage: Stage): Promise<string> {
  stage.narrator.heading('A backup');
  const output = await stage.juju(['run', MANAGER, 'create-backup']);
  const job = await waitForJob(stage, required(results(output), 'job-ids'));
  return required(job, 'artefact-path');
}

async function damage(
  { narrator }: Stage,
  database: SampleDatabase,
  before: DatabaseState,
): Promise<void> {
  narrator.heading('An accident: a table dropped, rows changed and deleted');
  await database.damage();
  narrator.output(compareStates(before, await database.state()).lines.join('\n'));
}

async function restore(stage: Stage, artefactPath: string): Promise<void> {
  stage.narrator.heading('The restore');
  const output = await stage.juju(['run', MANAGER, 'restore', `artefact-path=${artefactPath}`]);
  await waitForJob(stage, required(results(output), 'job-id'));
}

async function compare(
  { narrator }: Stage,
  database: SampleDatabase,
  before: DatabaseState,
): Promise<void> {
  narrator.heading('Is every row back?');
  const { equal, lines } = compareStates(before, await database.state());
  narrator.output(lines.join('\n'));
  if (!equal) {
    throw new HintError('the restored data differ from those backed up', { code: 'not-equal' });
  }
}

/** Follows a job with `show-job` until it ends; shows the last answer in full. */
async function waitForJob(
  { narrator, juju }: Stage,
  jobId: string,
): Promise<Readonly<Record<string, string>>> {
  const showJob = ['run', MANAGER, 'show-job', `job-id=${jobId}`];
  narrator.command(`juju ${showJob.join(' ')}   # until it ends`);
  let job: Readonly<Record<string, string>> = {};
  await poll(narrator, async () => {
    job = results(await juju(showJob, { quiet: true }));
    const status = job['status'] ?? '';
    const shown = [status, job['phase'], job['progress']].filter(
      (part) => part !== undefined && part !== '',
    );
    return { done: status === 'success' || status === 'error', text: shown.join(', ') };
  });
  await juju(showJob);
  if (job['status'] !== 'success') {
    throw new HintError(`job ${jobId} failed: ${job['message'] ?? 'no message'}`, {
      code: 'job-failed',
    });
  }
  return job;
}

async function summarise(
  { narrator }: Stage,
  options: DemoOptions,
  facts: {
    readonly times: ReadonlyMap<string, number>;
    readonly database: SampleDatabase;
    readonly artefactPath: string;
  },
): Promise<void> {
  narrator.heading('In short');
  const size = formatBytes(await facts.database.sizeBytes());
  const took = (name: string) => formatDuration(facts.times.get(name) ?? 0);
  narrator.say(
    [
      `database    ${size}; loaded in ${took('load')}, backed up in ${took('backup')}, restored in ${took('restore')}; all rows equal`,
      `deployed    both charms in ${took('deploy')}, plus what the install hook took`,
      `backup      s3://${BUCKET}/${facts.artefactPath}`,
      `sandbox     ${options.dataDirectory}`,
      `S3 server   http://127.0.0.1:${options.s3Port}, data in ${options.s3Directory}`,
    ].join('\n'),
  );
  if (options.keep) {
    narrator.say(
      [
        '',
        'Everything is still running. Go on by hand, for example:',
        '  npx juju status --relations',
        `  npx juju run ${MANAGER} create-backup`,
        '  npx juju debug-log',
        'and end it with:',
        '  npx juju kill-controller --no-prompt',
        `  npx juju-s3 stop --data ${options.s3Directory} && rm -r ${options.s3Directory}`,
      ].join('\n'),
    );
  }
}

async function poll(
  narrator: Narrator,
  look: () => Promise<{ readonly done: boolean; readonly text: string }>,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const { done, text } = await look();
    narrator.progress(text);
    if (done) {
      return;
    }
    await systemClock.sleep(500);
  }
  throw new HintError('gave up waiting after five minutes', {
    code: 'timeout',
    hint: 'look at "npx juju debug-log --replay --no-tail"',
  });
}

/** The results map that `juju run` prints in its plain format. */
function results(output: string): Readonly<Record<string, string>> {
  const value: unknown = parse(output);
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]))
    : {};
}

function required(map: Readonly<Record<string, string>>, key: string): string {
  const value = map[key];
  if (value === undefined || value === '') {
    throw new HintError(`the action's results lack "${key}"`, { code: 'unexpected-output' });
  }
  return value;
}

function here(path: string): string {
  return `./${relative(process.cwd(), path)}`;
}
