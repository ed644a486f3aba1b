/** `juju secrets` and `juju show-secret`. */
import {
  booleanFlag,
  choiceFlag,
  formatFlag,
  integerFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatSecretTable, structuredSecrets } from '../secrets/structured-secret.ts';

export const secrets = defineCommand({
  name: 'secrets',
  aliases: ['list-secrets'],
  usage: '',
  summary: 'List the secrets in the model.',
  examples: ['juju secrets', 'juju secrets --owner application-db --format json'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    owner: textFlag('Only secrets of this owner', {
      placeholder: '<application-app|unit-app-0>',
    }),
    revisions: booleanFlag('Show the revisions too (yaml and json)'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const all = await session.call('secrets', {});
    const wanted = flags.owner === undefined ? undefined : ownerOf(flags.owner);
    const shown = all.filter(({ owner }) => wanted === undefined || owner === wanted);
    const text =
      flags.format === 'tabular'
        ? formatSecretTable(shown, new Date())
        : formatDocument(
            structuredSecrets(shown, {
              format: flags.format,
              revisions: flags.revisions,
              reveal: false,
              grants: false,
            }),
            flags.format,
          );
    deliver(text, session.io, flags.output);
  },
});

/** `application-db` is `db`, `unit-db-0` is `db/0`. @throws CommandError on other tags. */
function ownerOf(tag: string): string {
  const application = /^application-(.+)$/.exec(tag)?.[1];
  const unit = /^unit-(.+)-(\d+)$/.exec(tag);
  if (application !== undefined) {
    return application;
  }
  if (unit === null) {
    throw new CommandError(`invalid owner ${quoted(tag)}: ${quoted(tag)} is not a valid tag`);
  }
  return `${unit[1] ?? ''}/${unit[2] ?? ''}`;
}

export const showSecret = defineCommand({
  name: 'show-secret',
  usage: '<secret URI | secret name>',
  summary: 'Show details of a secret; its content only with --reveal.',
  examples: ['juju show-secret s3-credentials', 'juju show-secret s3-credentials --reveal'],
  flags: {
    format: formatFlag(['yaml', 'json']),
    output: outputFlag,
    reveal: booleanFlag('Show the content'),
    revision: integerFlag('The revision whose content is shown', { aliases: ['r'] }),
    revisions: booleanFlag('Show the revisions'),
  },
  run: async ({ session, positionals, flags }) => {
    const [secret, ...extra] = positionals;
    if (secret === undefined) {
      throw new UsageError('missing secret URI or name');
    }
    refuseExtra(extra);
    if (flags.revisions && flags.reveal) {
      throw new UsageError('specify either --revisions or --reveal but not both');
    }
    if (flags.revision !== undefined && flags.revision <= 0) {
      throw new UsageError('revision must be a positive integer');
    }
    const answer = await session.call('show-secret', {
      secret,
      reveal: flags.reveal,
      ...(flags.revision === undefined ? {} : { revision: flags.revision }),
    });
    deliver(
      formatDocument(structuredSecrets([answer], { ...flags, grants: true }), flags.format),
      session.io,
      flags.output,
    );
  },
});
