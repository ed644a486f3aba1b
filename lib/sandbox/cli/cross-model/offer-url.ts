/**
 * `[<controller>:][<owner>/]<model>.<offer>[:<endpoint>]`.
 * https://github.com/juju/juju/blob/3.6/core/crossmodel/offerurl.go
 */
import { isModelName } from '../../client/models.ts';
import { isApplicationName } from '../arguments/names.ts';
import { CommandError, quoted } from '../errors.ts';

export interface OfferUrl {
  /** The controller; empty where none is given. */
  readonly source: string;
  /** Empty where none is given. */
  readonly user: string;
  readonly model: string;
  readonly offer: string;
  readonly endpoint?: string;
}

const URL_PATTERN = /^\/?(?:([^/]+)\/)?([^.]*)(?:\.([^:]*(?::.*)?))?$/;

/** @throws CommandError with Juju's message. */
export function parseOfferUrl(text: string): OfferUrl {
  const { source, path } = splitSource(text);
  const [, user = '', model = '', named = ''] = URL_PATTERN.exec(path) ?? [];
  const isBroken = text.startsWith(':') || !URL_PATTERN.test(path);
  if (isBroken || `${model}${named}`.includes('/')) {
    throw new CommandError(
      `application offer URL has invalid form, must be [<user/]<model>.<appname>: ${quoted(text)}`,
    );
  }
  const [offer = '', endpoint] = named.split(':');
  refuseInvalid(model, named, offer);
  return { source, user, model, offer, ...(endpoint === undefined ? {} : { endpoint }) };
}

function refuseInvalid(model: string, named: string, offer: string): void {
  if (model === '') {
    throw new CommandError('application offer URL is missing model');
  }
  if (named === '') {
    throw new CommandError('application offer URL is missing application');
  }
  if (!isModelName(model)) {
    throw new CommandError(`model name ${quoted(model)} not valid`);
  }
  if (!isApplicationName(offer)) {
    throw new CommandError(`application name ${quoted(offer)} not valid`);
  }
}

/** Whether the text is the URL of an offer, and no application of this model. */
export function isOfferUrl(text: string): boolean {
  try {
    parseOfferUrl(text);
    return true;
  } catch {
    return false;
  }
}

/** The controller before the first colon, if it is one, and the rest. */
export function splitSource(text: string): { readonly source: string; readonly path: string } {
  const [first = '', second = '', ...rest] = text.split(':');
  const isEndpoint = rest.length === 0 && /^[a-zA-Z0-9]+$/.test(second);
  if (second === '' || isEndpoint || rest.length > 1) {
    return { source: '', path: text };
  }
  return { source: first, path: [second, ...rest].join(':') };
}

/** `admin/model.offer`. */
export function offerPath(user: string, model: string, offer: string): string {
  return `${user}/${model}.${offer}`;
}
