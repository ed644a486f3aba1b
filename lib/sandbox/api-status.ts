/** What `juju status` is made of, as the daemon answers it; how it is printed is the command's. */

import type { OfferedEndpoint } from './api-cross-model.ts';
import type { StorageInfo } from './api-storage.ts';

/** One status as Juju keeps it; `since` is ISO 8601. */
export interface StatusInfo {
  readonly current: string;
  readonly message?: string;
  readonly since?: string;
  readonly version?: string;
}

/** One past status, for `juju show-status-log`. */
export interface StatusChange {
  readonly entity: string;
  readonly type: 'workload' | 'juju-unit' | 'application' | 'machine' | 'juju-machine';
  readonly status: string;
  readonly message?: string;
  readonly since: string;
}

export interface FullStatus {
  readonly model: ModelStatus;
  readonly machines: readonly MachineStatus[];
  readonly applications: readonly ApplicationStatus[];
  /** Consumed from other models. */
  readonly remoteApplications: readonly RemoteApplicationStatus[];
  readonly offers: readonly OfferStatus[];
  readonly relations: readonly RelationStatus[];
  readonly storage: readonly StorageInfo[];
  /** The daemon's time. */
  readonly timestamp: string;
}

export interface RemoteApplicationStatus {
  readonly name: string;
  /** `controller:admin/model.offer`. */
  readonly url: string;
  readonly endpoints: readonly OfferedEndpoint[];
  /** Only while it is going away: `dying`. */
  readonly life?: string;
  readonly status: StatusInfo;
  /** Names of related applications by endpoint. */
  readonly relations: Readonly<Record<string, readonly string[]>>;
}

export interface OfferStatus {
  readonly name: string;
  readonly application: string;
  readonly charm: CharmInfo;
  /** Relations of other models to it, and how many of them are joined. */
  readonly connections: number;
  readonly active: number;
  readonly endpoints: readonly OfferedEndpoint[];
}

interface ModelStatus {
  readonly name: string;
  readonly type: string;
  readonly controller: string;
  readonly cloud: string;
  readonly region: string;
  readonly version: string;
  readonly status: StatusInfo;
  readonly sla: string;
}

export interface BaseInfo {
  readonly name: string;
  readonly channel: string;
}

export interface MachineStatus {
  readonly id: string;
  readonly agent: StatusInfo;
  readonly machine: StatusInfo;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly instanceId: string;
  readonly base: BaseInfo;
  readonly hardware?: string;
}

export interface ApplicationStatus {
  readonly name: string;
  readonly charm: CharmInfo;
  readonly base: BaseInfo;
  readonly exposed: boolean;
  /** Only while the application is going away: `dying`. */
  readonly life?: string;
  readonly status: StatusInfo;
  /** What is related to each endpoint. */
  readonly relations: Readonly<Record<string, readonly RelatedApplication[]>>;
  readonly subordinateTo: readonly string[];
  readonly endpoints: readonly string[];
  readonly workloadVersion?: string;
  readonly units: readonly UnitStatus[];
}

interface CharmInfo {
  /** `local:mysql-0`. */
  readonly url: string;
  readonly name: string;
  readonly revision: number;
  readonly version?: string;
}

export interface RelatedApplication {
  readonly application: string;
  readonly interface: string;
  readonly scope: string;
}

export interface UnitStatus {
  readonly name: string;
  readonly workload: StatusInfo;
  readonly agent: StatusInfo;
  readonly leader: boolean;
  /** The charm of the unit while it is not yet that of its application. */
  readonly upgradingFrom?: string;
  /** Absent for subordinates, which share their principal's machine. */
  readonly machine?: string;
  readonly address?: string;
  /** For example `80/tcp`, `8080-8088/udp`, `icmp`. */
  readonly ports: readonly string[];
  /** Only while the unit is going away: `dying`. */
  readonly life?: string;
  readonly subordinates: readonly UnitStatus[];
}

export interface RelationStatus {
  readonly id: number;
  /** `application:endpoint` on both sides; equal for a peer relation. */
  readonly provider: string;
  readonly requirer: string;
  readonly interface: string;
  readonly type: 'regular' | 'peer' | 'subordinate';
  readonly message?: string;
}
