/** `juju deploy`. */
import type { Calls, DeployParams, JsonRecord, JsonValue } from '../../api.ts';
import { findCharm } from '../arguments/charm-path.ts';
import { readConfigFile } from '../arguments/config-file.ts';
import { parseConstraints } from '../arguments/constraints.ts';
import {
  booleanFlag,
  commaFlag,
  integerFlag,
  listFlag,
  refusedFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import type { FlagValues } from '../arguments/flags.ts';
import { isApplicationName } from '../arguments/names.ts';
import { readResources } from '../arguments/resources.ts';
import { parseSettings } from '../arguments/settings.ts';
import { readDirectives } from '../arguments/storage-directives.ts';
import { findBundle } from '../bundle/find-bundle.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import type { Session } from '../session.ts';

const PLACED = 'the sandbox plays all machines on this host';

const FLAGS = {
  'num-units': integerFlag('Number of units to deploy; 1 unless given', { aliases: ['n'] }),
  config: listFlag('key=value, or a YAML file with configuration', { placeholder: '<config>' }),
  trust: booleanFlag('Allow the application to run hooks that need access credentials'),
  base: textFlag('The base of the units, for example ubuntu@22.04', { placeholder: '<base>' }),
  force: booleanFlag('Whatever the charm assumes of Juju'),
  to: commaFlag('The machines to put the units on; new ones unless given', {
    placeholder: '<machine>[,<machine>]',
  }),
  constraints: listFlag('Kept and shown; changes nothing on this host', {
    placeholder: '<constraint>=<value>',
  }),
  bind: refusedFlag('the sandbox has one network'),
  channel: refusedFlag('the sandbox deploys charms from local paths only'),
  revision: refusedFlag('the sandbox deploys charms from local paths only'),
  overlay: listFlag('Bundles to overlay on the bundle; repeat it for several', {
    placeholder: '<file>',
  }),
  'map-machines': commaFlag('Machines of the model that are those of the bundle', {
    placeholder: '<existing|bundle-id=machine-id>[,...]',
  }),
  'dry-run': booleanFlag('Show what a bundle would change, and change nothing'),
  resource: listFlag('name=path: a file to upload as a resource', { placeholder: '<resource>' }),
  storage: listFlag('name=[pool,][count,][size]: storage of each unit', {
    placeholder: '<directive>',
  }),
  'attach-storage': commaFlag('Existing storage to attach to the one unit'),
  device: refusedFlag(PLACED),
} as const;

export const deploy = defineCommand({
  name: 'deploy',
  usage: '<charm or bundle> [<application name>]',
  summary: 'Deploy a new application from a local charm, or those of a bundle.',
  details:
    'The charm is a folder with metadata.yaml or charmcraft.yaml, or a packed .charm file; write\n' +
    'a path that looks like one: ./my-charm. Charmhub is not available.\n' +
    'A bundle is a .yaml file, or a folder with bundle.yaml; its charms are paths from there.\n' +
    '--config takes key=value, key=@file or a YAML file of the form {application: {key: value}}.',
  examples: [
    'juju deploy ./my-charm',
    'juju deploy ./my-charm_ubuntu-22.04-amd64.charm web -n 3 --config port=8080',
    'juju deploy ./bundle.yaml --overlay ./small.yaml --dry-run',
  ],
  flags: FLAGS,
  run: async ({ session, positionals, flags, given }) => {
    const [path, application, ...extra] = positionals;
    if (path === undefined) {
      throw new UsageError('no charm or bundle specified');
    }
    refuseExtra(extra);
    const bundle = findBundle(path, session.io);
    refuseFlags(given, bundle === undefined ? 'charm' : 'bundle');
    await (bundle === undefined
      ? deployCharm(session, { path, application }, flags)
      : deployBundleFile(session, { path: bundle, application }, flags));
  },
});

type DeployFlags = FlagValues<typeof FLAGS>;

interface Subject {
  readonly path: string;
  readonly application: string | undefined;
}

async function deployCharm(
  session: Session,
  { path, application }: Subject,
  flags: DeployFlags,
): Promise<void> {
  const units = flags['num-units'];
  checkArguments(application, units);
  const charmPath = findCharm(path, session.io);
  const constraints = parseConstraints(flags.constraints);
  const config = await readConfig(flags.config, application, session.io);
  const answer = await session.call('deploy', {
    path: charmPath,
    ...(application === undefined ? {} : { application }),
    ...(units === undefined ? {} : { units }),
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(flags.trust ? { trust: true } : {}),
    ...nonEmpty('to', flags.to),
    ...(flags.base === undefined ? {} : { base: flags.base }),
    ...withThings(flags, session.io),
  });
  if (flags.constraints.length > 0) {
    await session.call('constraints', { application: answer.application, values: constraints });
  }
  report(session, answer);
}

async function deployBundleFile(
  session: Session,
  { path, application }: Subject,
  { trust, force, overlay, 'map-machines': mapMachines, 'dry-run': dryRun }: DeployFlags,
): Promise<void> {
  if (application !== undefined) {
    throw new UsageError('a bundle names its applications itself');
  }
  // It reads charms, which is more to load than a single charm needs.
  const { deployBundle } = await import('../bundle/deploy-bundle.ts');
  await deployBundle(session, path, { trust, force, overlays: overlay, mapMachines, dryRun });
}

const FOREIGN_FLAGS = {
  // Storage may be given to Juju; here the bundle or an overlay says it.
  bundle: [
    'config',
    'constraints',
    'num-units',
    'base',
    'to',
    'resource',
    'attach-storage',
    'storage',
  ],
  charm: ['overlay', 'map-machines', 'dry-run'],
} as const;

function refuseFlags(given: ReadonlySet<string>, what: 'charm' | 'bundle'): void {
  const foreign = FOREIGN_FLAGS[what].filter((flag) => given.has(flag));
  if (foreign.length > 0) {
    throw new CommandError(
      `options provided but not supported when deploying a ${what}: ${foreign.map((flag) => `--${flag}`).join(', ')}`,
    );
  }
}

function nonEmpty<K extends string>(
  name: K,
  items: readonly string[],
): { readonly [P in K]?: readonly string[] } {
  return items.length === 0 ? {} : ({ [name]: items } as { [P in K]: readonly string[] });
}

function report(session: Session, answer: Calls['deploy']['result']): void {
  const charm = charmName(answer.charm);
  session.info(`Located local charm ${quoted(charm)}, revision ${answer.revision}`);
  session.info(
    `Deploying ${quoted(answer.application)} from local charm ${quoted(charm)}, revision ${answer.revision} on ${answer.base}`,
  );
}

/** The storage and the files that units get, and whether to insist. */
function withThings(
  flags: Readonly<Record<'storage' | 'resource' | 'attach-storage', readonly string[]>> & {
    readonly force: boolean;
  },
  io: CommandIo,
): Pick<DeployParams, 'storage' | 'resources' | 'attachStorage' | 'force'> {
  const { storage, resource, force, 'attach-storage': attachStorage } = flags;
  return {
    ...(storage.length === 0 ? {} : { storage: readDirectives(storage, { valueRequired: true }) }),
    ...(resource.length === 0 ? {} : { resources: readResources(resource, io) }),
    ...(attachStorage.length === 0 ? {} : { attachStorage }),
    ...(force ? { force } : {}),
  };
}

function checkArguments(application: string | undefined, units: number | undefined): void {
  if (application !== undefined && !isApplicationName(application)) {
    throw new UsageError(`invalid application name ${quoted(application)}`);
  }
  if (units !== undefined && units < 0) {
    throw new UsageError('--num-units must be a positive integer');
  }
}

/** `local:x-3` is charm `x`; a bare name stays. */
function charmName(charm: string): string {
  return charm.replace(/^local:(?:[^/]*\/)?/, '').replace(/-\d+$/, '');
}

/** Files first, so that key=value arguments win. */
async function readConfig(
  items: readonly string[],
  application: string | undefined,
  io: CommandIo,
): Promise<JsonRecord> {
  const pairs = items.filter((item) => item.includes('='));
  const files = items.filter((item) => !item.includes('='));
  const config: Record<string, JsonValue> = {};
  for (const file of files) {
    Object.assign(config, await readConfigFile(file, application, io));
  }
  return { ...config, ...(await parseSettings(pairs, io)) };
}
