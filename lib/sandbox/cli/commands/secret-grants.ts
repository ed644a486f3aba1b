/** `juju grant-secret` and `juju revoke-secret`. */
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';

export const grantSecret = defineCommand({
  name: 'grant-secret',
  usage: '<secret URI | secret name> <application>[,<application>...]',
  summary: 'Let applications read a user secret.',
  examples: ['juju grant-secret s3-credentials backup-manager'],
  flags: {},
  run: async ({ session, positionals }) => {
    await session.call('grant-secret', secretAndApplications(positionals));
  },
});

export const revokeSecret = defineCommand({
  name: 'revoke-secret',
  usage: '<secret URI | secret name> <application>[,<application>...]',
  summary: 'Take the right to read a user secret back.',
  examples: ['juju revoke-secret db-password web'],
  flags: {},
  run: async ({ session, positionals }) => {
    await session.call('revoke-secret', secretAndApplications(positionals));
  },
});

function secretAndApplications(positionals: readonly string[]): {
  readonly secret: string;
  readonly applications: readonly string[];
} {
  const [secret, names, ...extra] = positionals;
  if (secret === undefined) {
    throw new UsageError('missing secret URI or name');
  }
  if (names === undefined) {
    throw new UsageError('missing application name');
  }
  refuseExtra(extra);
  const applications = names.split(',').filter((name) => name !== '');
  const wrong = applications.find((name) => !isApplicationName(name));
  if (wrong !== undefined || applications.length === 0) {
    throw new UsageError(`application name ${quoted(wrong ?? '')} not valid`);
  }
  return { secret, applications };
}
