/** `juju add-secret`, `update-secret` and `remove-secret`: user secrets. */
import { booleanFlag, integerFlag, textFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readSecretContent } from '../secrets/secret-content.ts';

const CONTENT_FLAGS = {
  info: textFlag('Description of the secret', { placeholder: '<text>' }),
  file: textFlag('Path of a YAML file with key: value', { placeholder: '<file>' }),
} as const;

export const addSecret = defineCommand({
  name: 'add-secret',
  usage: '<name> [<key>[#file|#base64]=<value> ...]',
  summary: 'Add a user secret and print its URI.',
  details:
    'key#file=path takes the value from a file, which keeps it out of the list of processes\n' +
    'and the history of the shell.',
  examples: ['juju add-secret s3-credentials access-key=key secret-key#file=./secret'],
  flags: CONTENT_FLAGS,
  run: async ({ session, positionals, flags }) => {
    const [name, ...pairs] = positionals;
    if (name === undefined) {
      throw new UsageError('missing secret name');
    }
    if (name.includes('=')) {
      throw new UsageError('missing secret name; it comes before the first key=value');
    }
    const content = await readSecretContent(pairs, flags.file, session.io);
    if (Object.keys(content).length === 0) {
      throw new UsageError('missing secret value or filename');
    }
    const { uri } = await session.call('add-secret', {
      name,
      content,
      ...(flags.info === undefined ? {} : { description: flags.info }),
    });
    session.io.out(`${uri}\n`);
  },
});

export const updateSecret = defineCommand({
  name: 'update-secret',
  usage: '<secret URI | secret name> [<key>[#file|#base64]=<value> ...]',
  summary: 'Update a user secret; new content is a new revision.',
  examples: [
    'juju update-secret db-password word=new',
    'juju update-secret db-password --auto-prune word#file=./word.txt',
  ],
  flags: {
    ...CONTENT_FLAGS,
    name: textFlag('New name of the secret', { placeholder: '<name>' }),
    'auto-prune': booleanFlag('Remove old revisions when nobody reads them any more'),
  },
  run: async ({ session, positionals, flags, given }) => {
    const [secret, ...pairs] = positionals;
    if (secret === undefined) {
      throw new UsageError('missing secret URI or name');
    }
    const content = await readSecretContent(pairs, flags.file, session.io);
    const hasContent = Object.keys(content).length > 0;
    if (!hasContent && !['info', 'name', 'auto-prune'].some((name) => given.has(name))) {
      throw new UsageError('must specify a new value or metadata to update a secret');
    }
    await session.call('update-secret', {
      secret,
      ...(hasContent ? { content } : {}),
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.info === undefined ? {} : { description: flags.info }),
      ...(given.has('auto-prune') ? { autoPrune: flags['auto-prune'] } : {}),
    });
  },
});

export const removeSecret = defineCommand({
  name: 'remove-secret',
  usage: '<secret URI | secret name>',
  summary: 'Remove a user secret, or one revision of it.',
  examples: ['juju remove-secret db-password', 'juju remove-secret db-password --revision 1'],
  flags: { revision: integerFlag('Only this revision') },
  run: async ({ session, positionals, flags }) => {
    const [secret, ...extra] = positionals;
    if (secret === undefined) {
      throw new UsageError('missing secret URI or name');
    }
    refuseExtra(extra);
    await session.call('remove-secret', {
      secret,
      ...(flags.revision === undefined ? {} : { revision: flags.revision }),
    });
  },
});
