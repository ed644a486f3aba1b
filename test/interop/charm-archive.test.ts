/**
 * The archives of both charms, read by the Go package that Juju 3.6 reads them with; and our own rules held
 * against its, mistake by mistake.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runProcess } from '#system';
import { projectRoot } from '#tooling';
import { parseCharmcraft } from '../../lib/tooling/charmcraft.ts';
import { platformsOf } from '../../lib/tooling/platforms.ts';
import { CHARM_MISTAKES, SOUND_CHARM, writeMistake } from '../helpers/charm-mistakes.ts';
import { describeWithGo } from '../helpers/go-program.ts';
import { packedCharm } from '../helpers/packed-charms.ts';

jest.setTimeout(300_000);

interface Reading {
  readonly error?: string;
  readonly name?: string;
  readonly bases?: readonly string[];
  readonly assumes?: boolean;
  readonly endpoints?: readonly string[];
  readonly options?: readonly string[];
  readonly actions?: Readonly<Record<string, unknown>>;
  readonly executable?: readonly string[];
}

const SOURCE = join(projectRoot, 'test', 'interop', 'charm-archive');

await describeWithGo("Juju's own reader of charm archives", SOURCE, (program) => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'charm-archive-'));
  });
  afterAll(async () => {
    await rm(root, { recursive: true, force: true });
  });

  const readings = async (paths: readonly string[]): Promise<readonly Reading[]> => {
    const { stdout } = await runProcess(program, paths, { timeoutMs: 240_000 });
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Reading);
  };

  test.each(['database', 'backup-manager'])(
    '%s: found as charmcraft.yaml says it',
    async (name) => {
      const path = join(projectRoot, 'charms', name, 'charmcraft.yaml');
      const charmcraft = parseCharmcraft(await readFile(path, 'utf8'), path);
      const platform = platformsOf(charmcraft).find(
        ({ architecture }) => architecture === (process.arch === 'arm64' ? 'arm64' : 'amd64'),
      );
      const packed = await packedCharm(name);
      const [reading] = await readings([packed.path]);
      expect(reading).toMatchObject({
        name,
        bases: [`ubuntu@${platform?.base.channel}/stable on ${platform?.architecture}`],
        assumes: true,
        endpoints: ['provides', 'requires', 'peers']
          .flatMap((role) => keys(charmcraft[role]))
          .toSorted(),
        options: keys((charmcraft['config'] as { readonly options: unknown }).options).toSorted(),
        executable: ['bin/node', 'dispatch'],
      });
      expect(keys(reading?.actions).toSorted()).toEqual(keys(charmcraft['actions']).toSorted());
    },
  );

  test('it refuses what our rules refuse, but for what it does not look at', async () => {
    const charms = [SOUND_CHARM, ...CHARM_MISTAKES];
    const paths = await Promise.all(charms.map(async (charm) => await writeMistake(charm, root)));
    const answers = await readings(paths);
    const refused = charms.filter((_, index) => answers[index]?.error !== undefined);
    const expected = CHARM_MISTAKES.filter(({ jujuTakesIt }) => jujuTakesIt === undefined);
    expect(refused.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  });
});

function keys(value: unknown): readonly string[] {
  return Object.keys(value ?? {});
}
