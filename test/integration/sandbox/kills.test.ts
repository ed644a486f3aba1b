/**
 * kill -9 of the daemon and of hooks at random instants. The charm counts its hooks in state-set, tells its
 * number to its peers, and leaves a trace of every attempt in a file, which no commit or crash takes back.
 * TEST_SEED=… repeats the choices of a run (not its timing).
 */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '#system';
import { chooseSeed, seededRandom } from '../../helpers/random.ts';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const KILLS = 200;
const UNITS = ['a/0', 'a/1', 'a/2', 'b/0'];

// The first line of each attempt names the commit it is to become.
const COUNTING = `
mates=$(relation-ids mates)
known=$(state-get number)
# It fails when the daemon dies just now; install comes before the unit is in the relation.
if shared=$(relation-get -r "$mates" number "$JUJU_UNIT_NAME" 2> /dev/null); then
    [ "$known" = "$shared" ] || echo "$event knows=$known shared=$shared" >> torn
fi
if [ "$event" = act ]; then
    acts=$(state-get acts)
    state-set acts=$((\${acts:-0} + 1))
else
    count=$(state-get count)
    echo "\${count:-0} $event \${JUJU_RELATION_ID:-} \${JUJU_REMOTE_UNIT:-}" >> trace
    state-set count=$((\${count:-0} + 1))
fi
case $event in
config-changed)
    number=$(config-get number)
    state-set number="$number"
    relation-set -r "$mates" number="$number" ;;
mates-relation-changed)
    [ -z "$JUJU_REMOTE_UNIT" ] || state-set "seen-$JUJU_REMOTE_UNIT=$(relation-get number)" ;;
esac
`;

interface Attempt {
  readonly count: number;
  /** `mates-relation-joined mates:0 a/1`. */
  readonly event: string;
}

const seed = chooseSeed();

describe('kill -9 at random instants', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  test(`loses no commit, runs none twice, and everything settles (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    await sandbox.deploy('a', { units: 3, scripts: { any: COUNTING } });
    await sandbox.deploy('b', { scripts: { any: COUNTING } });
    let relation = 0;
    for (let round = 0, kills = 0; kills < KILLS; round += 1) {
      relation = await changeSomething(round, relation, random);
      await systemClock.sleep(random() * 40);
      if (random() < 0.25) {
        await sandbox.killDaemon(async () => nextWrites(1 + Math.floor(random() * 4)));
        await sandbox.restartDaemon();
        kills += 1;
      } else {
        const killed = await Promise.all(UNITS.map(async (unit) => killHook(unit)));
        kills += killed.filter(Boolean).length;
      }
    }
    for (const application of ['a', 'b']) {
      await sandbox.call('set-config', { application, values: { number: KILLS } });
    }
    await sandbox.settle();

    for (const unit of UNITS) {
      const attempts = await readTrace(unit);
      const state = await readState(unit);
      expect({ unit, torn: await read(unit, 'torn') }).toEqual({ unit, torn: '' });
      expectWholeAndInOrder(unit, attempts, Number(state.get('count')));
      expect(Number(state.get('acts') ?? 0)).toBe(await completedActs(unit));
      expect(state.get('number')).toBe(String(KILLS));
      for (const mate of UNITS.filter((one) => one.startsWith(unit[0] ?? '') && one !== unit)) {
        expect(state.get(`seen-${mate}`)).toBe(String(KILLS));
      }
    }
  }, 180_000);

  /** Keeps the units busy; answers the id of the relation between a and b, 0 for none. */
  async function changeSomething(
    round: number,
    relation: number,
    random: () => number,
  ): Promise<number> {
    const application = random() < 0.7 ? 'a' : 'b';
    await sandbox.call('set-config', { application, values: { number: round } });
    const unit = UNITS[round % UNITS.length] ?? 'a/0';
    if (random() < 0.3) {
      await sandbox.call('run', { targets: [unit], action: 'act', params: {} });
    }
    if (round % 7 !== 0) {
      return relation;
    }
    if (relation === 0) {
      return (await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] })).id;
    }
    await sandbox.call('remove-relation', { id: relation });
    await sandbox.waitFor('the relation to be gone', async () => {
      const { relations } = await sandbox.status();
      return relations.every(({ id }) => id !== relation);
    });
    return 0;
  }

  /** Until the daemon has written to its store so often, but not long: most instants are far from any commit. */
  async function nextWrites(count: number): Promise<void> {
    const patience = new AbortController();
    const writes = new Promise<void>((resolve) => {
      let left = count;
      const watcher = watch(join(sandbox.root, 'model.sqlite-wal'), { signal: patience.signal });
      watcher.on('error', () => undefined);
      watcher.on('change', () => {
        left -= 1;
        if (left <= 0) {
          resolve();
        }
      });
    });
    await Promise.race([writes, systemClock.sleep(100)]);
    patience.abort();
  }

  /** Kills the process of the hook that runs for the unit; answers whether one did. */
  async function killHook(unit: string): Promise<boolean> {
    const note = await readFile(
      join(sandbox.charmDirectory(unit), '..', 'state', 'running.json'),
      'utf8',
    ).catch(() => '');
    const pid = /"pid":(\d+)/.exec(note)?.[1];
    if (pid === undefined) {
      return false;
    }
    try {
      return process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended just now.
      return false;
    }
  }

  async function read(unit: string, file: string): Promise<string> {
    return await readFile(join(sandbox.charmDirectory(unit), file), 'utf8').catch(() => '');
  }

  async function readTrace(unit: string): Promise<readonly Attempt[]> {
    const lines = (await read(unit, 'trace')).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [count, ...event] = line.trim().split(' ');
      return { count: Number(count), event: event.join(' ') };
    });
  }

  async function readState(unit: string): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await sandbox.exec(unit, 'state-get --format json');
    return new Map(Object.entries(JSON.parse(stdout) as Record<string, string>));
  }

  async function completedActs(unit: string): Promise<number> {
    const operations = await sandbox.call('operations', {});
    return operations
      .flatMap(({ tasks }) => tasks)
      .filter((task) => task.unit === unit && task.action === 'act' && task.status === 'completed')
      .length;
  }
});

/** Attempts at one commit are attempts at one event, and commits follow each other without a gap. */
function expectWholeAndInOrder(unit: string, attempts: readonly Attempt[], commits: number): void {
  const committed = new Map<number, string>();
  let last = 0;
  for (const { count, event } of attempts) {
    expect({ unit, count, event }).toEqual({ unit, count, event: committed.get(count) ?? event });
    expect(count === last || count === last + 1).toBe(true);
    committed.set(count, event);
    last = count;
  }
  const events = [...committed.values()];
  expect({ unit, commits: events.length }).toEqual({ unit, commits });
  for (const once of events.filter(
    (event) => !/config-changed|-changed |update-status/.test(event),
  )) {
    expect({ unit, once, times: countLegal(events, once) }).toEqual({ unit, once, times: 1 });
  }
  expect(events[0]).toBe('install');
  expect(events[1]).toMatch(/^mates-relation-created/);
  expect(events.indexOf('start')).toBe(events.indexOf('config-changed') + 1);
  expectRelationsLegal(events);
}

function countLegal(events: readonly string[], event: string): number {
  return events.filter((one) => one === event).length;
}

/** joined before changed before departed for every unit, and all of them departed before broken. */
function expectRelationsLegal(events: readonly string[]): void {
  const joined = new Set<string>();
  for (const event of events) {
    const [name = '', relation = '', remote] = event.split(' ');
    const step = /-relation-(\w+)$/.exec(name)?.[1];
    if (step === 'broken') {
      expect([...joined].filter((one) => one.startsWith(`${relation} `))).toEqual([]);
    } else if (step === 'joined') {
      joined.add(`${relation} ${remote}`);
    } else if (step !== undefined && remote !== undefined) {
      expect([...joined]).toContain(`${relation} ${remote}`);
    }
    if (step === 'departed') {
      joined.delete(`${relation} ${remote}`);
    }
  }
}
