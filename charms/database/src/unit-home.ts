/** What belongs to this unit on its machine, under names no other unit has. Pure. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { clusterName } from '#engines';

export interface UnitIdentity {
  readonly unitName: string;
  readonly modelUuid: string;
}

export interface UnitHome {
  /** Private; survives upgrades of the charm. */
  readonly stateDirectory: string;
  /** Name of the database cluster. */
  readonly cluster: string;
}

/** Below this every unit has its directory. */
export const STATE_ROOT = '/var/lib/database-charm';

/** Units of several models may share a machine, so the model is part of every name. */
export function unitHome(identity: UnitIdentity, stateRoot: string): UnitHome {
  const { unitName, modelUuid } = identity;
  const digest = createHash('sha256').update(`${modelUuid}/${unitName}`).digest('hex').slice(0, 8);
  const name = clusterName(`${unitName}_${digest}`);
  return { stateDirectory: join(stateRoot, name), cluster: name };
}
