/** `juju refresh`. */

import { findCharm } from '../arguments/charm-path.ts';
import { readConfigFile } from '../arguments/config-file.ts';
import {
  booleanFlag,
  integerFlag,
  listFlag,
  refusedFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { readResources } from '../arguments/resources.ts';
import { readDirectives } from '../arguments/storage-directives.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';

const LOCAL_ONLY = 'the sandbox deploys charms from local paths only';

export const refresh = defineCommand({
  name: 'refresh',
  aliases: ['upgrade-charm'],
  usage: '<application>',
  summary: "Refresh an application's charm.",
  details:
    '--path takes a newer version of the same charm, --switch the path of any other charm.\n' +
    'Units run upgrade-charm and then config-changed. A unit with a failed hook takes the new\n' +
    'charm when the hook is resolved, or at once with --force-units.',
  examples: [
    'juju refresh db --path ./my-charm',
    'juju refresh db --path ./my-charm --force-units && juju resolved db/0',
  ],
  flags: {
    path: textFlag('Refresh to the charm at this path', { placeholder: '<path>' }),
    switch: textFlag('Crossgrade to a different charm, at this path', { placeholder: '<path>' }),
    config: textFlag('YAML file with settings of the form {application: {key: value}}', {
      placeholder: '<file>',
    }),
    resource: listFlag('name=path: a file to upload as a resource', { placeholder: '<resource>' }),
    storage: listFlag('name=[pool,][count,][size]: storage of each unit', {
      placeholder: '<directive>',
    }),
    trust: textFlag('Whether the application may run hooks that need access credentials', {
      placeholder: '<true|false>',
    }),
    'force-units': booleanFlag('Refresh all units immediately, even if in error state'),
    force: booleanFlag('Ignore limits of relations'),
    'force-base': booleanFlag('Refresh even if the charm does not support the base'),
    'force-series': booleanFlag('The same, by its old name'),
    revision: integerFlag('Not available: charms come from local paths'),
    channel: refusedFlag(LOCAL_ONLY),
    bind: refusedFlag('the sandbox has one network'),
  },
  run: async ({ session, positionals, flags }) => {
    const [application, ...extra] = positionals;
    if (application === undefined) {
      throw new UsageError('no application specified');
    }
    if (!isApplicationName(application)) {
      throw new UsageError(`invalid application name ${quoted(application)}`);
    }
    refuseExtra(extra);
    const path = choosePath(flags);
    const { io } = session;
    const config =
      flags.config === undefined ? undefined : await readConfigFile(flags.config, application, io);
    const resources = readResources(flags.resource, io);
    const answer = await session.call('refresh', {
      application,
      path: findCharm(path, io),
      anyName: flags.switch !== undefined,
      force: flags.force,
      forceUnits: flags['force-units'],
      forceBase: flags['force-base'] || flags['force-series'],
      storage: readDirectives(flags.storage, { valueRequired: true }),
      resources,
      ...(config === undefined ? {} : { config }),
      ...(flags.trust === undefined ? {} : { trust: /^(?:true|1)$/i.test(flags.trust) }),
    });
    session.info(
      `Added local charm ${quoted(answer.charm)}, revision ${answer.revision}, to the model`,
    );
  },
});

interface Choices {
  readonly path: string | undefined;
  readonly switch: string | undefined;
  readonly revision: number | undefined;
}

function choosePath({ path, switch: other, revision }: Choices): string {
  const both = [
    [other, revision, '--switch and --revision'],
    [path, revision, '--path and --revision'],
    [other, path, '--switch and --path'],
  ].find(([a, b]) => a !== undefined && b !== undefined);
  if (both !== undefined) {
    throw new UsageError(`${both[2] ?? ''} are mutually exclusive`);
  }
  const chosen = path ?? other;
  if (chosen === undefined) {
    throw new CommandError('refreshing a local charm requires either --path or --switch');
  }
  return chosen;
}
