/** Finding offers in the models of the sandbox. */
import type { OfferInfo } from '../../api-cross-model.ts';
import { addedModelRoot, addedModels, findAddedModel } from '../../client/models.ts';
import { CommandError, quoted } from '../errors.ts';
import { USER } from '../models/model-info.ts';
import type { Session } from '../session.ts';
import { type OfferUrl, offerPath } from './offer-url.ts';
import type { FoundOffer } from './tables.ts';

export interface OfferingModel {
  readonly root: string;
  readonly uuid: string;
  readonly name: string;
  readonly controller: string;
}

/** The model an URL names; the current one where `model` is empty. @throws CommandError */
export async function findOfferingModel(
  session: Session,
  { source, user, model }: Pick<OfferUrl, 'source' | 'user' | 'model'>,
): Promise<OfferingModel> {
  const { controllerRoot } = session;
  const root =
    model === '' ? session.root : (findAddedModel(controllerRoot, model) ?? controllerRoot);
  const { modelUuid, modelName, controllerName } = await session.callModel(root, 'ping', {});
  if (source !== '' && source !== controllerName) {
    throw new CommandError(`controller ${source} not found`);
  }
  if ((user !== '' && user !== USER) || (model !== '' && model !== modelName)) {
    throw new CommandError(`model ${quoted(`${user || USER}/${model}`)} not found`);
  }
  return { root, uuid: modelUuid, name: modelName, controller: controllerName };
}

/** The offers of one model. */
export async function offersOf(
  session: Session,
  { root, name, controller }: OfferingModel,
): Promise<readonly FoundOffer[]> {
  const offers = await session.callModel(root, 'offers', {});
  return offers.map((offer) => ({
    offer,
    store: controller,
    path: offerPath(USER, name, offer.name),
  }));
}

/** The offer an URL names, and its model. @throws CommandError when there is none. */
export async function findOffer(
  session: Session,
  url: OfferUrl,
): Promise<FoundOffer & { readonly model: OfferingModel; readonly offer: OfferInfo }> {
  const model = await findOfferingModel(session, url);
  const found = (await offersOf(session, model)).find(({ offer }) => offer.name === url.offer);
  if (found === undefined) {
    throw new CommandError(
      `application offer ${quoted(offerPath(USER, model.name, url.offer))} not found`,
    );
  }
  return { ...found, model };
}

/** The offers of all models. */
export async function allOffers(session: Session): Promise<readonly FoundOffer[]> {
  const { controllerRoot } = session;
  const roots = [
    controllerRoot,
    ...addedModels(controllerRoot).map((name) => addedModelRoot(controllerRoot, name)),
  ];
  const found = await Promise.all(
    roots.map(async (root) => {
      const { modelUuid, modelName, controllerName } = await session.callModel(root, 'ping', {});
      return offersOf(session, {
        root,
        uuid: modelUuid,
        name: modelName,
        controller: controllerName,
      });
    }),
  );
  return found.flat();
}
