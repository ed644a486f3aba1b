/** Where the bundle puts units: `3`, `new`, `db`, `db/0`. */
import { isApplicationName } from '../arguments/names.ts';
import { quoted } from '../errors.ts';

export type Placement =
  | { readonly kind: 'new' }
  | { readonly kind: 'machine'; readonly machine: string }
  | { readonly kind: 'unit'; readonly application: string; readonly number: number }
  | { readonly kind: 'application'; readonly application: string };

const CONTAINER = /^[a-z]+:/;
const DIRECTIVE = /^(?<application>[^/]+)(?:\/(?<number>0|[1-9]\d*))?$/;
const MACHINE = /^(?:0|[1-9]\d*)$/;

/** @throws Error with Juju's message, or the sandbox's for containers. */
export function parsePlacement(text: string): Placement {
  if (CONTAINER.test(text)) {
    throw new Error(`placement ${quoted(text)}: the sandbox has no containers, only machines`);
  }
  if (text === 'new') {
    return { kind: 'new' };
  }
  if (MACHINE.test(text)) {
    return { kind: 'machine', machine: text };
  }
  const { application = '', number } = DIRECTIVE.exec(text)?.groups ?? {};
  if (application === 'new' || !isApplicationName(application)) {
    throw new Error(`invalid placement syntax ${quoted(text)}`);
  }
  return number === undefined
    ? { kind: 'application', application }
    : { kind: 'unit', application, number: Number(number) };
}
