/** `juju integrate` and `juju remove-relation`. */
import { booleanFlag, refusedFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { isOfferUrl, parseOfferUrl } from '../cross-model/offer-url.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { consumeOffer } from './saas.ts';

export const integrate = defineCommand({
  name: 'integrate',
  aliases: ['relate'],
  usage: '<application>[:<endpoint>] <application>[:<endpoint>]',
  summary: 'Integrate two applications.',
  details:
    'One of them may be an offer of another model: [<controller>:][<owner>/]<model>.<offer>.',
  examples: [
    'juju integrate wordpress mysql',
    'juju integrate wordpress:db mysql:server',
    'juju integrate wordpress production.mysql',
  ],
  flags: { via: refusedFlag('the sandbox has no firewalls to open for subnets') },
  run: async ({ session, positionals }) => {
    const urls = positionals.filter(isOfferUrl);
    if (positionals.length === 2 && urls.length === 2) {
      throw new UsageError('providing more than one remote endpoints not supported');
    }
    const named = positionals.map((text) => (urls.includes(text) ? localName(text) : text));
    const endpoints = twoEndpoints(named);
    for (const url of urls) {
      await consumeOffer(session, url);
    }
    try {
      await session.call('integrate', { endpoints });
    } catch (error) {
      throw explained(error);
    }
  },
});

export const removeRelation = defineCommand({
  name: 'remove-relation',
  usage: '<application>[:<endpoint>] <application>[:<endpoint>] | <relation id>',
  summary: 'Remove the relation between two applications.',
  examples: ['juju remove-relation wordpress mysql', 'juju remove-relation 4'],
  flags: { force: booleanFlag('Remove the relation even when a unit does not take part') },
  run: async ({ session, positionals, flags }) => {
    const [first] = positionals;
    const target =
      positionals.length === 1 && first !== undefined && /^\d+$/.test(first)
        ? { id: Number(first) }
        : { endpoints: twoEndpoints(positionals) };
    await session.call('remove-relation', { ...target, ...(flags.force ? { force: true } : {}) });
  },
});

/** An offer that is gone needs something to be done first. */
function explained(error: unknown): unknown {
  const [, offer] = Error.isError(error)
    ? (/offer (\S+) is terminated$/.exec(error.message) ?? [])
    : [];
  return offer === undefined
    ? error
    : new CommandError(
        `Offer ${quoted(offer)} has been removed from the remote model.\nTo integrate with a new offer with the same name, first run\n'juju remove-saas ${offer}' to remove the SAAS record from this model.`,
      );
}

/** What an offer is called when it is consumed on the way. */
function localName(url: string): string {
  const { offer, endpoint } = parseOfferUrl(url);
  return endpoint === undefined ? offer : `${offer}:${endpoint}`;
}

function twoEndpoints(positionals: readonly string[]): readonly string[] {
  if (positionals.length !== 2) {
    throw new UsageError('a relation must involve two applications');
  }
  for (const endpoint of positionals) {
    const [application = '', name, ...rest] = endpoint.split(':');
    if (!isApplicationName(application) || name === '' || rest.length > 0) {
      throw new UsageError(`endpoint ${quoted(endpoint)} not valid`);
    }
  }
  return positionals;
}
