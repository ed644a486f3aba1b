/** Applications, units and machines: how they come and go, and what one unit is. */
import type { StorageDirective } from './api-storage.ts';
import type { JsonRecord } from './json.ts';

export interface DeployParams {
  /** Absolute path of a charm directory or of a `.charm` file. */
  readonly path: string;
  /** The charm's name unless told. */
  readonly application?: string;
  readonly units?: number;
  /** `key=value` pairs as typed; texts are converted to the option's type, other values checked. */
  readonly config?: JsonRecord;
  readonly trust?: boolean;
  /** As typed, for example `ubuntu@22.04`; else the first base of the manifest. */
  readonly base?: string;
  readonly storage?: Readonly<Record<string, StorageDirective>>;
  /** Ids of detached storage for the one unit. */
  readonly attachStorage?: readonly string[];
  /** Machines for the units, in order; the units beyond get new ones. */
  readonly to?: readonly string[];
  /** Whatever the charm assumes of Juju. */
  readonly force?: boolean;
  /** Absolute paths by the names of resources. */
  readonly resources?: Readonly<Record<string, string>>;
}

export interface DeployResult {
  readonly application: string;
  readonly charm: string;
  readonly revision: number;
  /** For example `ubuntu@22.04/stable`. */
  readonly base: string;
  readonly units: readonly string[];
}

export interface AddUnitParams {
  readonly application: string;
  readonly count?: number;
  /** Ids of detached storage for the one unit. */
  readonly attachStorage?: readonly string[];
  /** Machines for the units, in order; the units beyond get new ones. */
  readonly to?: readonly string[];
}

export interface AddMachinesParams {
  readonly count?: number;
  /** As typed, for example `ubuntu@22.04`. */
  readonly base?: string;
}

/** How much may be left undone so that something goes. */
export interface ForceParams {
  /** A minute later units go without their hooks, a further minute later whatever runs there. */
  readonly force?: boolean;
  /** With `force`: at once. */
  readonly noWait?: boolean;
}

export interface RemoveMachinesParams extends ForceParams {
  /** With `force` also those with units, which go by force. */
  readonly machines: readonly string[];
  /** Answer what would happen and change nothing. */
  readonly dryRun?: boolean;
}

export interface RemoveUnitsParams extends ForceParams {
  readonly units: readonly string[];
  /** Also storage that could be attached to others. */
  readonly destroyStorage?: boolean;
  /** Answer what would happen and change nothing. */
  readonly dryRun?: boolean;
}

export interface RemoveApplicationsParams extends ForceParams {
  readonly applications: readonly string[];
  /** Also storage that could be attached to others. */
  readonly destroyStorage?: boolean;
  readonly dryRun?: boolean;
}

export interface RemoveResult {
  /** The unit or application asked for. */
  readonly name: string;
  /** Units that go with it (remove-application). */
  readonly units: readonly string[];
  /** Storage that is detached, and that goes too. */
  readonly detachedStorage?: readonly string[];
  readonly destroyedStorage?: readonly string[];
  /** Why it cannot be removed, without the `removing unit a/0 failed: ` prefix. */
  readonly error?: string;
}

export interface ShowUnitResult {
  readonly name: string;
  readonly workloadVersion?: string;
  readonly machine: string;
  readonly openedPorts: readonly string[];
  readonly publicAddress: string;
  readonly charm: string;
  readonly leader: boolean;
  readonly life: string;
  readonly relations: readonly UnitRelation[];
}

export interface UnitRelation {
  readonly id: number;
  readonly endpoint: string;
  readonly relatedEndpoint: string;
  readonly peer: boolean;
  /** Present where the other side is in another model. */
  readonly crossModel?: true;
  /** The related application's bag (of the own application for a peer relation). */
  readonly applicationData: Readonly<Record<string, string>>;
  /** Peer relations only. */
  readonly localUnit?: UnitBag;
  readonly relatedUnits: Readonly<Record<string, UnitBag>>;
}

export interface UnitBag {
  readonly inScope: boolean;
  readonly data: Readonly<Record<string, string>>;
}
