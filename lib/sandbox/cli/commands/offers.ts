/** Offers: `offer`, `offers`, `show-offer`, `find-offers`, `remove-offer`. */
import type { OfferInfo } from '../../api-cross-model.ts';
import { isModelName } from '../../client/models.ts';
import { booleanFlag, choiceFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { allOffers, findOffer, findOfferingModel, offersOf } from '../cross-model/find-offer.ts';
import { isOfferUrl, type OfferUrl, offerPath, parseOfferUrl } from '../cross-model/offer-url.ts';
import {
  structuredFoundOffer,
  structuredListedOffer,
  structuredOffer,
} from '../cross-model/structured-offer.ts';
import { connectionTable, foundTable, shownTable, summaryTable } from '../cross-model/tables.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { USER } from '../models/model-info.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';

export const offer = defineCommand({
  name: 'offer',
  usage: '[model-name.]<application-name>:<endpoint-name>[,...] [offer-name]',
  summary: 'Offer application endpoints for use in other models.',
  details: 'The offer is called as the application unless another name is given.',
  examples: ['juju offer mysql:db', 'juju offer mymodel.mysql:db', 'juju offer db2:db hosted-db2'],
  flags: {},
  run: async ({ session, positionals: [what, name, ...extra] }) => {
    if (what === undefined) {
      throw new UsageError('an offer must at least specify application endpoint');
    }
    refuseExtra(extra);
    const { user, model, application, endpoints } = parseOffered(what);
    const where = await findOfferingModel(session, { source: '', user, model });
    const offered = name ?? application;
    await session.callModel(where.root, 'offer', { application, endpoints, name: offered });
    const path = offerPath(USER, where.name, offered);
    session.info(
      `Application ${quoted(application)} endpoints [${endpoints.join(', ')}] available at ${quoted(path)}`,
    );
  },
});

interface Offered {
  readonly user: string;
  readonly model: string;
  readonly application: string;
  readonly endpoints: readonly string[];
}

function parseOffered(text: string): Offered {
  const [, named = '', application = '', endpoints] =
    /^\/?(?:([^.]*)\.)?([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (endpoints === undefined) {
    throw new CommandError(
      'endpoints must conform to format "<application-name>:<endpoint-name>[,...]" ',
    );
  }
  const [user, model] = qualifiedModel(named);
  if (!isApplicationName(application)) {
    throw new CommandError(`application name ${quoted(application)} not valid`);
  }
  if (endpoints === '') {
    throw new CommandError(`specify endpoints for ${application}" `);
  }
  return { user, model, application, endpoints: endpoints.split(',') };
}

/** Owner and model, both empty where none is named. */
function qualifiedModel(named: string): readonly [user: string, model: string] {
  const [first = '', second] = named.split('/');
  const model = second ?? first;
  if (named !== '' && !isModelName(model)) {
    throw new CommandError(`model name ${quoted(model)} not valid`);
  }
  return [second === undefined ? '' : first, model];
}

export const offers = defineCommand({
  name: 'offers',
  aliases: ['list-offers'],
  usage: '[<offer-name>]',
  summary: 'List shared endpoints.',
  details: 'The table shows who is related to each offer; --format summary has a row an offer.',
  examples: ['juju offers', 'juju offers -m model', 'juju offers hosted-mysql --active-only'],
  flags: {
    application: textFlag('return results matching the application'),
    interface: textFlag('return results matching the interface name'),
    'allowed-consumer': textFlag('return results where the user may consume the offer'),
    'connected-user': textFlag('return results where the user has a connection to the offer'),
    'active-only': booleanFlag('only return results where the offer is in use'),
    format: choiceFlag(
      ['tabular', 'json', 'summary', 'yaml'],
      'Specify output format (json|summary|tabular|yaml)',
    ),
    output: outputFlag,
  },
  run: async ({ session, positionals: [name, ...extra], flags }) => {
    refuseExtra(extra);
    await session.call('ping', {});
    const where = await findOfferingModel(session, { source: '', user: '', model: '' });
    const wanted = await offersOf(session, where);
    const found = wanted.filter(
      (one) =>
        [undefined, one.offer.name].includes(name) &&
        [undefined, one.offer.application].includes(flags.application) &&
        hasInterface(one.offer, flags.interface) &&
        isKnown(flags['allowed-consumer']) &&
        isKnown(flags['connected-user']) &&
        (one.offer.connections.length > 0 ||
          !(flags['active-only'] || flags['connected-user'] !== undefined)),
    );
    const document = Object.fromEntries(
      found.map(({ offer: one, store, path: url }) => [
        one.name,
        structuredListedOffer(one, { store, url }),
      ]),
    );
    const texts = {
      tabular: () => connectionTable(found),
      summary: () => summaryTable(found),
      json: () => formatDocument(document, 'json'),
      yaml: () => formatDocument(document, 'yaml'),
    };
    deliver(texts[flags.format](), session.io, flags.output);
  },
});

function hasInterface({ endpoints }: OfferInfo, wanted: string | undefined): boolean {
  return wanted === undefined || endpoints.some((endpoint) => endpoint.interface === wanted);
}

function isKnown(user: string | undefined): boolean {
  return user === undefined || user === USER;
}

export const showOffer = defineCommand({
  name: 'show-offer',
  usage: '[<controller>:]<offer url>',
  summary: 'Show extended information about the offered application.',
  examples: ['juju show-offer default.prod', 'juju show-offer admin/default.prod --format yaml'],
  flags: {
    format: choiceFlag(['tabular', 'json', 'yaml'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
  },
  run: async ({ session, positionals, flags }) => {
    const [given = ''] = positionals;
    if (positionals.length !== 1) {
      throw new UsageError('must specify endpoint URL');
    }
    const found = await findOffer(session, await urlOrName(session, given));
    const text =
      flags.format === 'tabular'
        ? shownTable(found)
        : formatDocument(
            { [`${found.store}:${found.path}`]: structuredOffer(found.offer) },
            flags.format,
          );
    deliver(text, session.io, flags.output);
  },
});

/** A name alone is that of an offer of the current model. */
async function urlOrName(session: Session, text: string): Promise<OfferUrl> {
  if (isOfferUrl(text) || !isApplicationName(text)) {
    return parseOfferUrl(text);
  }
  const { modelName } = await session.call('ping', {});
  return { source: '', user: USER, model: modelName, offer: text };
}

export const findOffers = defineCommand({
  name: 'find-offers',
  usage: '[<controller>:][<owner>/][<model>[.<offer>]]',
  summary: 'Find offered application endpoints.',
  examples: ['juju find-offers', 'juju find-offers production', 'juju find-offers --interface db'],
  flags: {
    url: textFlag('return results matching the offer URL'),
    interface: textFlag('return results matching the interface name'),
    offer: textFlag('return results matching the offer name'),
    format: choiceFlag(['tabular', 'json', 'yaml'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
  },
  run: async ({ session, positionals: [given, ...extra], flags }) => {
    refuseExtra(extra);
    const url = termOf(given, flags);
    const all = await allOffers(session);
    const found = all.filter(
      ({ offer: one, store, path }) =>
        (url === undefined || matchesUrl({ store, path }, url)) &&
        hasInterface(one, flags.interface) &&
        (flags.offer === undefined || one.name.includes(flags.offer)),
    );
    if (found.length === 0) {
      throw new CommandError('no matching application offers found');
    }
    const document = Object.fromEntries(
      found.map(({ offer: one, store, path }) => [`${store}:${path}`, structuredFoundOffer(one)]),
    );
    const text =
      flags.format === 'tabular' ? foundTable(found) : formatDocument(document, flags.format);
    deliver(text, session.io, flags.output);
  },
});

function termOf(
  given: string | undefined,
  flags: { readonly url: string | undefined; readonly offer: string | undefined },
): string | undefined {
  if (flags.offer !== undefined && flags.url !== undefined) {
    throw new UsageError('cannot specify both a URL term and offer term');
  }
  if (given !== undefined && flags.url !== undefined) {
    throw new UsageError('URL term cannot be specified twice');
  }
  return given ?? flags.url;
}

/** `controller:`, `[controller:][owner/]model` or with an offer. */
function matchesUrl(
  { store, path }: { readonly store: string; readonly path: string },
  term: string,
): boolean {
  const [first = '', second] = term.split(':');
  const controller = second === undefined ? '' : first;
  const rest = second ?? first;
  if (controller !== '' && controller !== store) {
    return false;
  }
  const qualified = rest === '' || rest.includes('/') ? rest : `${USER}/${rest}`;
  return qualified === '' || path === qualified || path.startsWith(`${qualified}.`);
}

export const removeOffer = defineCommand({
  name: 'remove-offer',
  usage: '<offer-url> ...',
  summary: 'Remove one or more offers specified by their URL.',
  details: 'With --force, existing relations to the offer are removed as well.',
  examples: ['juju remove-offer staging.hosted-mysql --force', 'juju remove-offer hosted-mysql'],
  flags: {
    force: booleanFlag('remove the offer as well as any relations to the offer'),
    yes: booleanFlag('Do not prompt for confirmation', { aliases: ['y'] }),
  },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('no offers specified');
    }
    const urls: OfferUrl[] = [];
    for (const text of positionals) {
      urls.push(await urlOrName(session, text));
    }
    const paths = urls.map(({ user, model, offer: name }) => offerPath(user || USER, model, name));
    refuseEndpoints(urls, paths);
    if (flags.force && !flags.yes) {
      await confirmRemoval(session, paths);
    }
    for (const url of urls) {
      const { root } = await findOfferingModel(session, url);
      const force = flags.force ? { force: true } : {};
      await session.callModel(root, 'remove-offer', { name: url.offer, ...force });
    }
  },
});

function refuseEndpoints(urls: readonly OfferUrl[], paths: readonly string[]): void {
  const invalid = urls.flatMap(({ endpoint }, index) =>
    endpoint === undefined ? [] : [` -${paths[index] ?? ''}:${endpoint}`],
  );
  if (invalid.length > 0) {
    throw new CommandError(
      `These offers contain endpoints. Only specify the offer name itself.\n${invalid.join('\n')}`,
    );
  }
}

async function confirmRemoval(session: Session, paths: readonly string[]): Promise<void> {
  session.io.err(
    `WARNING! This command will remove offers: ${paths.join(', ')}\nThis includes all relations to those offers.\n`,
  );
  try {
    await session.confirm();
  } catch (error) {
    throw error instanceof CommandError
      ? new CommandError(`offer removal: ${error.message}`)
      : error;
  }
}
