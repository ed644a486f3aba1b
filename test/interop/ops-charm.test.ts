/**
 * A charm written with Python's ops, packed with its packages as charmcraft packs them, in the sandbox:
 * what ops asks of Juju is answered as Juju answers it.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { packPythonCharm } from '../helpers/python-charm.ts';
import { describeWithPython } from '../helpers/python-venv.ts';

jest.setTimeout(300_000);

const LENDER = 'lender/0';
const BORROWER = 'borrower/0';

interface Report {
  readonly seen: readonly string[];
  readonly entries: readonly string[];
  readonly handled: readonly string[];
  readonly borrowed: Readonly<Record<string, unknown>>;
  readonly places: Readonly<Record<string, string>>;
  readonly book: Readonly<Record<string, string>>;
  readonly refusals: Readonly<Record<string, string>>;
  readonly [fact: string]: unknown;
}

await describeWithPython('a charm written with ops', 'ops', (venv) => {
  let sandbox: JujuSandbox;
  let scratch = '';
  let archive = '';

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'interop-ops-'));
    const source = join(projectRoot, 'test', 'interop', 'charms', 'almanac');
    archive = await packPythonCharm(source, venv, scratch);
    sandbox = await JujuSandbox.bootstrap();
  });
  afterAll(async () => {
    await sandbox?.destroy();
    await rm(scratch, { recursive: true, force: true });
  });

  const report = async (unit: string): Promise<Report> => {
    const { results } = await sandbox.run(unit, 'report');
    return JSON.parse(results['report'] ?? '{}') as Report;
  };
  const settle = async (...applications: readonly string[]) => {
    for (const application of applications) {
      await sandbox.waitForApplication(application);
    }
  };
  /** Waits until a unit was told something, and answers its report after that. */
  const hasSeen = async (unit: string, line: string): Promise<Report> => {
    const agent = join(sandbox.dataDirectory, 'agents', `unit-${unit.replace('/', '-')}`);
    await sandbox.waitFor(`${unit} to be told ${line}`, async () => {
      const told = await readFile(join(agent, 'charm', 'told'), 'utf8').catch(() => '');
      return told.split('\n').includes(line);
    });
    return await report(unit);
  };

  test('starts in Juju’s order, with storage, ports, version, status and an event of its own', async () => {
    await sandbox.juju('deploy', archive, 'lender', '--config', 'title=tides');
    await settle('lender');
    const { seen, ...found } = await hasSeen(LENDER, 'page_turned outside');
    expect(seen.slice(0, 7)).toEqual([
      'shelf_storage_attached',
      'install',
      'pages_relation_created lender',
      'leader_elected',
      'config_changed',
      'start',
      'page_turned outside',
    ]);
    expect(found).toMatchObject({
      leader: true,
      planned: 1,
      config: { title: 'tides', port: 8080, hold: false },
      ports: ['514/udp', '8080/tcp'],
      'remote-model': true,
      status: 'active',
      home: '',
      refusals: {
        'unknown-secret': 'SecretNotFoundError',
        'unknown-label': 'SecretNotFoundError',
        'app-status': 'allowed',
        binding: 'ModelError',
        credentials: 'ModelError',
      },
    });
    expect(found['address']).toBe(found['seeded']);
    expect(await readFile(join(found.places['shelf/0'] ?? '', 'book'), 'utf8')).toBe('shelf/0');
    expect((await sandbox.status()).applications['lender']).toMatchObject({
      version: '1.2.3',
      'application-status': { current: 'active', message: 'volumes: 1' },
      units: { [LENDER]: { 'open-ports': ['8080/tcp', '514/udp'] } },
    });
  });

  describe('actions', () => {
    test('get typed parameters with their defaults, log, and return nested results', async () => {
      const answer = await sandbox.run(LENDER, 'write', { text: 'ebb', times: '2' });
      expect(answer).toMatchObject({
        status: 'completed',
        results: { entries: '2', ink: { colour: 'black' } },
      });
      const task = JSON.parse(
        await sandbox.juju('run', LENDER, 'write', 'text=flow', '--format', 'json'),
      );
      expect(task[LENDER].log).toEqual([expect.stringMatching(/writing 1 of 1$/)]);
    });

    test('that fail say why, keep their results, and leave the exit code of juju run at 0', async () => {
      const { exitCode, stdout } = await sandbox.tryJuju(['run', LENDER, 'tear']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^Action id \d+ failed: the paper is too strong\ntorn: half\n/);
    });

    test('that crash lose what they wrote, but not their results', async () => {
      const { exitCode, stdout, stderr } = await sandbox.tryJuju(['run', LENDER, 'crash']);
      expect(exitCode).toBe(1);
      expect(stdout).toContain('failed: exit status 1\nreached: the end\n');
      expect(stdout).toContain('Uncaught RuntimeError in charm code: spilt ink');
      expect(stderr).toMatch(/ERROR the following task failed:\n - id "\d+" with return code 1/);
      const found = await report(LENDER);
      expect(found).toMatchObject({ spoilt: false, entries: ['ebb', 'ebb', 'flow'] });
    });

    test('with parameters the charm does not allow are not scheduled', async () => {
      const { exitCode, stderr, stdout } = await sandbox.tryJuju([
        'run',
        LENDER,
        'write',
        'times=2',
      ]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
      expect(stderr).toContain(
        'validation failed: (root) : "text" property is missing and required, given {"times":2}',
      );
    });
  });

  test('a deferred event waits through other events and comes before the next one', async () => {
    await sandbox.juju('config', 'lender', 'hold=true', 'title=hidden');
    await settle('lender');
    expect((await report(LENDER)).handled).toEqual(['tides']);
    await sandbox.juju('config', 'lender', 'hold=false', 'port=9090');
    await settle('lender');
    const found = await report(LENDER);
    // Deferred, told again to the first report, then to the change, which is told itself afterwards.
    expect(found.seen.filter((line) => line === 'config_changed')).toHaveLength(5);
    expect(found.handled).toEqual(['tides', 'hidden', 'hidden']);
    expect(found['ports']).toEqual(['514/udp', '9090/tcp']);
  });

  test('an option that is unset is absent, one that is reset has its default', async () => {
    await sandbox.juju('config', 'lender', 'ratio=0.5');
    await settle('lender');
    expect((await report(LENDER))['config']).toMatchObject({ ratio: 0.5 });
    await sandbox.juju('config', 'lender', '--reset', 'ratio,title,port');
    await settle('lender');
    expect((await report(LENDER))['config']).toEqual({
      hold: false,
      port: 8080,
      title: 'untitled',
    });
  });

  test('a secret of the administrator is read once it is granted', async () => {
    const uri = (await sandbox.juju('add-secret', 'key', 'word=sesame')).trim();
    await sandbox.juju('grant-secret', 'key', 'lender');
    await sandbox.juju('config', 'lender', `key=${uri}`);
    await settle('lender');
    expect((await report(LENDER))['key']).toEqual({ word: 'sesame' });
  });

  describe('secrets over a relation', () => {
    test('are granted, read and labelled; data models are read as they were written', async () => {
      await sandbox.juju('deploy', archive, 'borrower');
      await sandbox.juju('integrate', 'lender:lends', 'borrower:borrows');
      await settle('lender', 'borrower');
      const { seen, borrowed } = await hasSeen(BORROWER, 'page_turned borrowed');
      expect(borrowed).toEqual({ word: 'first', shelves: ['shelf'] });
      // Told at once, inside of the event that had the news.
      const changed = seen.indexOf('borrows_relation_changed lender');
      expect(seen[changed + 1]).toBe('page_turned borrowed');
    });

    test('that change are told to readers, who keep the old content until they ask for the new', async () => {
      expect((await sandbox.run(LENDER, 'reseal', { word: 'second' })).results).toMatchObject({
        rotation: 'hourly',
      });
      const { borrowed } = await hasSeen(BORROWER, 'secret_changed');
      expect(borrowed).toMatchObject({ label: 'borrowed', tracked: 'first', peeked: 'second' });
      expect((await sandbox.run(BORROWER, 'read')).results).toMatchObject({ word: 'second' });
    });

    test('rotate on time', async () => {
      await sandbox.juju('sandbox', 'advance', '61m');
      await hasSeen(LENDER, 'secret_rotate');
      await sandbox.waitFor('the borrower to read the new word', async () => {
        const { results } = await sandbox.run(BORROWER, 'read');
        return results['word'] === 'rotated';
      });
    });

    test('without readers of an old revision have it removed by their owner', async () => {
      await hasSeen(LENDER, 'secret_remove 2');
      const secrets = JSON.parse(
        await sandbox.juju('secrets', '--format', 'json', '--owner', 'application-lender'),
      );
      expect(Object.values(secrets)).toMatchObject([{ label: 'seal', revision: 3 }]);
    });
  });

  test('storage asked for at run time is attached', async () => {
    await sandbox.run(LENDER, 'store-more');
    const { places } = await hasSeen(LENDER, 'attic_storage_attached');
    expect(Object.keys(places)).toEqual(['shelf/0', 'attic/2']);
  });

  describe('three units', () => {
    test('see each other, and the leader’s data, which only the leader may write', async () => {
      await sandbox.juju('add-unit', 'lender', '-n', '2');
      await sandbox.waitFor('three units', async () => {
        const units = Object.values((await sandbox.status()).applications['lender']?.units ?? {});
        return units.length === 3 && units.every((unit) => unit['juju-status'].current === 'idle');
      });
      await settle('lender');
      const leader = await report(LENDER);
      expect(leader).toMatchObject({ planned: 3, peers: ['lender/1', 'lender/2'] });
      for (const unit of ['lender/1', 'lender/2']) {
        const found = await report(unit);
        const others = [LENDER, 'lender/1', 'lender/2'].filter((name) => name !== unit);
        expect(found).toMatchObject({ leader: false, peers: others, born: others });
        expect(found.book).toEqual(leader.book);
        expect(found.refusals).toMatchObject({
          'app-data': 'RelationDataAccessError',
          'app-status': 'RuntimeError',
        });
        expect(found.seen.slice(0, 3)).toEqual([
          'shelf_storage_attached',
          'install',
          'pages_relation_created lender',
        ]);
        expect(found.seen).not.toContain('leader_elected');
      }
      expect((await report(BORROWER)).seen).toEqual(
        expect.arrayContaining([
          'borrows_relation_joined lender/1',
          'borrows_relation_joined lender/2',
        ]),
      );
    });

    test('elect another leader when the leader goes, and are told who departs', async () => {
      const before = await report('lender/1');
      await sandbox.juju('remove-unit', LENDER, '--no-prompt');
      await sandbox.waitFor('the unit to be gone', async () => !(await sandbox.unit(LENDER)));
      await settle('lender');
      const units = ['lender/1', 'lender/2'];
      const reports = await Promise.all(units.map(report));
      expect(reports.filter((found) => found['leader'])).toHaveLength(1);
      const elected = units[reports.findIndex((found) => found['leader'])];
      expect(reports[0]?.book['editor']).toBe(elected);
      expect(reports[0]?.book['seal']).toBe(before.book['seal']);
      expect(reports[0]?.seen.slice(before.seen.length)).toContain(
        'pages_relation_departed lender/0 departing=lender/0',
      );
    });
  });

  test('a removed relation is told as departed, then broken, and takes the grant with it', async () => {
    await sandbox.juju('remove-relation', 'lender', 'borrower');
    const { seen } = await hasSeen(BORROWER, 'borrows_relation_broken lender');
    const told = seen.slice(seen.indexOf('borrows_relation_departed lender/1 departing=lender/1'));
    expect(told.slice(0, 3)).toEqual([
      'borrows_relation_departed lender/1 departing=lender/1',
      'borrows_relation_departed lender/2 departing=lender/2',
      'borrows_relation_broken lender',
    ]);
    expect(await sandbox.run(BORROWER, 'read')).toMatchObject({ status: 'failed' });
  });

  test('a removed application is told storage, relations, stop and remove, and leaves nothing', async () => {
    await sandbox.juju('remove-application', 'borrower', '--no-prompt');
    await sandbox.waitFor(
      'the application to be gone',
      async () => (await sandbox.status()).applications['borrower'] === undefined,
    );
    const log = await sandbox.juju('debug-log', '--replay', '--no-tail', '--include', BORROWER);
    const told = [...log.matchAll(/Emitting Juju event (\w+)\./g)].map(([, event]) => event);
    expect(told.slice(-3)).toEqual(['shelf_storage_detaching', 'stop', 'remove']);
  });
});
