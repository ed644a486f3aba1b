/** Constraints of the model and of applications: kept and answered, nothing else. */
import type { Calls } from '../../api.ts';
import { MODEL } from '../../model/documents.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export function constraints(
  { services: { store } }: CallContext,
  { application, values }: Calls['constraints']['params'],
): Calls['constraints']['result'] {
  if (values !== undefined) {
    store.transact((transaction) => {
      if (application === undefined) {
        transaction.patch('model', MODEL, { constraints: values });
      } else {
        requireApplication(transaction, application);
        transaction.patch('application', application, { constraints: values });
      }
    });
  }
  const found =
    application === undefined
      ? store.require('model', MODEL)
      : requireApplication(store, application);
  return found.constraints ?? {};
}
