/** What handlers of calls work with. */
import type { AgentServices } from '../../agent/services.ts';
import { ModelError } from '../../errors.ts';
import type { ApplicationDocument, UnitDocument } from '../../model/documents.ts';
import type { Reader } from '../../store/store.ts';
import type { Agents } from '../agents.ts';
import type { CrossModelLinks } from '../cross-model/links.ts';
import type { StatusHistory } from '../status-history.ts';

export interface CallContext {
  readonly services: AgentServices;
  readonly agents: Agents;
  readonly history: StatusHistory;
  /** To the models whose offers are consumed here. */
  readonly links: CrossModelLinks;
  /** What the user of `bootstrap` has to know. */
  readonly warnings: readonly string[];
  /** Ends the daemon. */
  readonly end: () => void;
}

/** @throws ModelError with Juju's message. */
export function requireApplication(reader: Reader, name: string): ApplicationDocument {
  const application = reader.get('application', name);
  if (application === undefined) {
    throw new ModelError(`application ${JSON.stringify(name)} not found`, 'not-found');
  }
  return application;
}

/** @throws ModelError with Juju's message. */
export function requireUnit(reader: Reader, name: string): UnitDocument {
  const unit = reader.get('unit', name);
  if (unit === undefined) {
    throw new ModelError(`unit ${JSON.stringify(name)} not found`, 'not-found');
  }
  return unit;
}
