/** What deploying a bundle does, step by step, and how Juju tells it. */
import type { JsonRecord } from '../../api.ts';
import { formatConstraints } from '../arguments/constraints.ts';
import { quoted } from '../errors.ts';

export type Change =
  | { readonly kind: 'add-charm'; readonly charm: string; readonly base: string | undefined }
  | {
      readonly kind: 'deploy' | 'expose';
      readonly application: string;
      readonly base?: string | undefined;
    }
  | { readonly kind: 'set-options'; readonly application: string; readonly options: JsonRecord }
  | {
      readonly kind: 'set-constraints';
      readonly application: string;
      readonly constraints: JsonRecord;
    }
  | {
      readonly kind: 'add-machine';
      /** The number it will have. */
      readonly machine: string;
      readonly bundleMachine?: string;
      readonly base: string | undefined;
    }
  | { readonly kind: 'add-relation'; readonly endpoints: readonly [string, string] }
  | AddUnit;

export interface AddUnit {
  readonly kind: 'add-unit';
  /** The name it will have. */
  readonly unit: string;
  readonly application: string;
  /** Set when all units have their names. */
  place: UnitPlace;
}

export interface UnitPlace {
  /** The number of its machine. */
  readonly machine: string;
  /** Whether the machine comes with the unit. */
  readonly isNew: boolean;
  /** Where it is said to come: `new machine 2`. */
  readonly shown: string;
  /** Why there, when it was told so. */
  readonly directive?: string;
}

/** One line, without the dash before it. */
export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'add-charm':
      return `upload charm ${change.charm}${clause(' for base ', change.base)} with architecture=${ARCHITECTURE}`;
    case 'deploy':
      return `deploy application ${change.application}${clause(' on ', change.base)}`;
    case 'expose':
      return `expose all endpoints of ${change.application} and allow access from CIDRs 0.0.0.0/0 and ::/0`;
    case 'set-options':
      return `set application options for ${change.application}`;
    case 'set-constraints':
      return `set constraints for ${change.application} to ${quoted(formatConstraints(change.constraints))}`;
    case 'add-machine':
      return `add new machine ${change.machine}${machineOfBundle(change)}`;
    case 'add-relation':
      return `add relation ${change.endpoints.join(' - ')}`;
    case 'add-unit':
      return `add unit ${change.unit} to ${change.place.shown}${clause(' to satisfy [', change.place.directive, ']')}`;
  }
}

function clause(before: string, text: string | undefined, after = ''): string {
  return text === undefined ? '' : before + text + after;
}

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';

function machineOfBundle({
  machine,
  bundleMachine,
}: Extract<Change, { kind: 'add-machine' }>): string {
  return bundleMachine === undefined || bundleMachine === machine
    ? ''
    : ` (bundle machine ${bundleMachine})`;
}
