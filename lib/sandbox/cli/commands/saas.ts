/** Applications of other models: `consume`, `remove-saas`, and `suspend-relation`, `resume-relation` of the other side. */
import { booleanFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { findOffer } from '../cross-model/find-offer.ts';
import { parseOfferUrl } from '../cross-model/offer-url.ts';
import { CommandError, quoted, SilentExit, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';

export const consume = defineCommand({
  name: 'consume',
  usage: '<remote offer path> [<local application name>]',
  summary: 'Add a remote offer to the model.',
  details: 'Relations can be created later using "juju integrate".',
  examples: ['juju consume production.db', 'juju consume admin/production.db other-db'],
  flags: {},
  run: async ({ session, positionals: [offer, alias, ...extra] }) => {
    if (offer === undefined) {
      throw new UsageError('no remote offer specified');
    }
    if (alias !== undefined && !isApplicationName(alias)) {
      throw new UsageError(`invalid application name ${quoted(alias)}`);
    }
    refuseExtra(extra);
    if (parseOfferUrl(offer).endpoint !== undefined) {
      throw new CommandError(`saas offer ${quoted(offer)} shouldn't include endpoint`);
    }
    const { name, path } = await consumeOffer(session, offer, alias);
    session.info(`Added ${path} as ${name}`);
  },
});

/** Makes the offer an application of this model; nothing happens where it is one. */
export async function consumeOffer(
  session: Session,
  url: string,
  alias?: string,
): Promise<{ readonly name: string; readonly path: string }> {
  const { offer, model, path } = await findOffer(session, parseOfferUrl(url));
  const { name } = await session.call('consume', {
    offer: { name: offer.name, uuid: offer.uuid, endpoints: offer.endpoints },
    model: { uuid: model.uuid, name: model.name },
    ...(alias === undefined ? {} : { alias }),
  });
  return { name, path };
}

export const removeSaas = defineCommand({
  name: 'remove-saas',
  aliases: ['remove-consumed-application'],
  usage: '<saas-application-name> [<saas-application-name> ...]',
  summary: 'Remove consumed applications (SAAS) from the model.',
  examples: ['juju remove-saas hosted-mysql', 'juju remove-saas -m test-model hosted-mariadb'],
  flags: {
    force: booleanFlag('Completely remove a SAAS and all its dependencies'),
    'no-wait': booleanFlag('Accepted for compatibility; --force does not wait'),
  },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('no SAAS application names specified');
    }
    const invalid = positionals.find((name) => !isApplicationName(name));
    if (invalid !== undefined) {
      throw new UsageError(`invalid SAAS application name ${quoted(invalid)}`);
    }
    if (flags['no-wait'] && !flags.force) {
      throw new CommandError('--no-wait requires --force');
    }
    let isFailed = false;
    for (const name of positionals) {
      try {
        await session.call('remove-saas', { name, ...(flags.force ? { force: true } : {}) });
      } catch (error) {
        if (!Error.isError(error)) {
          throw error;
        }
        isFailed = true;
        session.info(`removing SAAS application ${name} failed: ${error.message}`);
      }
    }
    if (isFailed) {
      throw new SilentExit();
    }
  },
});

const IDS = '<relation-id>[ <relation-id>...]';

export const suspendRelation = defineCommand({
  name: 'suspend-relation',
  usage: IDS,
  summary: 'Suspend a relation to an application offer.',
  examples: ['juju suspend-relation 123 --message "reason for suspending"'],
  flags: { message: textFlag('reason for suspension') },
  run: async ({ session, positionals, flags }) => {
    for (const relation of relationIds(positionals)) {
      const reason = flags.message ?? '';
      await session.call('suspend-relation', { relation, suspended: true, reason });
    }
  },
});

export const resumeRelation = defineCommand({
  name: 'resume-relation',
  usage: IDS,
  summary: 'Resume a suspended relation to an application offer.',
  examples: ['juju resume-relation 123'],
  flags: {},
  run: async ({ session, positionals }) => {
    for (const relation of relationIds(positionals)) {
      await session.call('suspend-relation', { relation, suspended: false });
    }
  },
});

function relationIds(positionals: readonly string[]): readonly number[] {
  if (positionals.length === 0) {
    throw new UsageError('no relation ids specified');
  }
  return positionals.map((text) => {
    if (!/^\d+$/.test(text.trim())) {
      throw new UsageError(`relation ID ${quoted(text)} not valid`);
    }
    return Number(text);
  });
}
