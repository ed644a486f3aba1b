/** Installing PostgreSQL, with a fake apt that works on a directory. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { installedVersion, installPostgresql } from '#engines';
import { ProcessError, type RunProcess } from '#system';

describe('installing PostgreSQL', () => {
  let root: string;
  let files: { versions: string; config: string; dropIns: string };
  let commands: string[];
  /** What create_main_cluster was when the server package came in. */
  let settingAtInstall: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'packages-'));
    files = {
      versions: join(root, 'lib'),
      config: join(root, 'createcluster.conf'),
      dropIns: join(root, 'createcluster.d'),
    };
    commands = [];
    settingAtInstall = '';
  });

  afterEach(async () => await rm(root, { recursive: true, force: true }));

  function apt(options: { listsAreOld?: boolean; isBroken?: boolean; config: string }): RunProcess {
    let { listsAreOld = false } = options;
    return async (_command, args) => {
      const words = args.slice(args.indexOf('apt-get') + 1).join(' ');
      const verb = /(install|update)/.exec(words)?.[1] ?? '';
      commands.push(`${verb} ${words.split(' ').at(-1)}`);
      expect(words).toContain('DPkg::Lock::Timeout=600');
      if (options.isBroken === true || (listsAreOld && verb === 'install')) {
        throw new ProcessError('apt-get failed', { command: 'apt-get', stdout: '', stderr: '' });
      }
      if (verb === 'update') {
        listsAreOld = false;
      } else if (words.endsWith('postgresql-common')) {
        await writeFile(files.config, options.config);
      } else {
        settingAtInstall = await readSettings();
        await mkdir(join(files.versions, '15', 'bin'), { recursive: true });
        await writeFile(join(files.versions, '15', 'bin', 'postgres'), '');
      }
      return { exitCode: 0, stdout: '', stderr: '' };
    };
  }

  async function readSettings(): Promise<string> {
    const dropIns = await readdir(files.dropIns).catch(() => []);
    const texts = dropIns.map(async (name) => await readFile(join(files.dropIns, name), 'utf8'));
    return [await readFile(files.config, 'utf8'), ...(await Promise.all(texts))].join('');
  }

  test('makes no cluster main, and leaves the machine configured as it was', async () => {
    const runProcess = apt({ config: 'ssl = on\n' });

    const version = await installPostgresql({ runProcess, files });

    expect(version).toBe('15');
    expect(commands).toEqual(['install postgresql-common', 'install postgresql']);
    expect(settingAtInstall).toContain('create_main_cluster = false');
    expect(await readSettings()).toBe('ssl = on\n');
  });

  test('uses a drop-in where the configuration reads them', async () => {
    await mkdir(files.dropIns);
    const config = "include_dir '/etc/postgresql-common/createcluster.d'\n";
    const runProcess = apt({ config });

    await installPostgresql({ runProcess, files });

    expect(settingAtInstall).toContain('create_main_cluster = false');
    expect(await readSettings()).toBe(config);
    expect(await readdir(files.dropIns)).toEqual([]);
  });

  test('fetches the package lists only when an installation failed', async () => {
    const runProcess = apt({ config: '', listsAreOld: true });

    await installPostgresql({ runProcess, files });

    expect(commands.slice(0, 3)).toEqual([
      'install postgresql-common',
      expect.stringMatching(/^update/),
      'install postgresql-common',
    ]);
  });

  test('that cannot work says what to check', async () => {
    const runProcess = apt({ config: '', isBroken: true });

    await expect(installPostgresql({ runProcess, files })).rejects.toMatchObject({
      code: 'install-failed',
      hint: expect.stringMatching(/archive/),
    });
  });

  test('asks nothing of apt where a server is there, and takes the newest', async () => {
    for (const version of ['9', '14', '16', 'doc']) {
      await mkdir(join(files.versions, version, 'bin'), { recursive: true });
      await writeFile(join(files.versions, version, 'bin', 'postgres'), '');
    }
    await mkdir(join(files.versions, '17', 'lib'), { recursive: true });

    expect(await installPostgresql({ runProcess: apt({ config: '' }), files })).toBe('16');
    expect(commands).toEqual([]);
    expect(await installedVersion(join(root, 'nothing'))).toBeUndefined();
  });
});
