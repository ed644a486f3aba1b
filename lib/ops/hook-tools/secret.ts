/** secret-add, -get, -set, -info-get, -grant, -revoke, -remove, -ids. */
import type { RelationKey } from './relation.ts';
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { type SecretContent, withSecretFiles } from './secret-files.ts';
import { optionalString, plainMap, stringList, stringMap } from './values.ts';

export type SecretOwner = 'application' | 'unit';
export type SecretRotation =
  | 'never'
  | 'hourly'
  | 'daily'
  | 'weekly'
  | 'monthly'
  | 'quarterly'
  | 'yearly';

export interface SecretMetadata {
  readonly label?: string;
  readonly description?: string;
  readonly rotate?: SecretRotation;
  /** When the latest revision expires. */
  readonly expire?: Date;
}

/** By id, by label, or by id while giving it a label. */
export interface SecretKey {
  readonly id?: string;
  readonly label?: string;
}

/** Id of the new secret as Juju prints it: `secret:<id>` or `secret://<model>/<id>`. */
export function secretAdd(
  tools: HookToolRunner,
  content: SecretContent,
  options: SecretMetadata & { readonly owner: SecretOwner },
): string {
  return withSecretFiles(content, (files) =>
    callTool(tools, {
      tool: 'secret-add',
      args: ['--owner', options.owner, ...metadataArgs(options), ...files],
    }).trim(),
  );
}

export function secretGet(
  tools: HookToolRunner,
  key: SecretKey,
  mode: 'tracked' | 'refresh' | 'peek' = 'tracked',
): SecretContent {
  const args = [...keyArgs(key), ...(mode === 'tracked' ? [] : [`--${mode}`])];
  return stringMap(callJson(tools, { tool: 'secret-get', args }));
}

/** New content (a new revision unless equal), new metadata, or both. */
export function secretSet(
  tools: HookToolRunner,
  id: string,
  change: SecretMetadata & { readonly content?: SecretContent },
): void {
  const run = (files: readonly string[]): void => {
    callTool(tools, { tool: 'secret-set', args: [id, ...metadataArgs(change), ...files] });
  };
  if (change.content === undefined) {
    run([]);
  } else {
    withSecretFiles(change.content, run);
  }
}

export interface SecretInfo {
  readonly id: string;
  readonly label: string | undefined;
  readonly description: string | undefined;
  readonly revision: number;
  readonly owner: SecretOwner;
  readonly rotation: string | undefined;
  /** As Juju prints it: RFC 3339. */
  readonly expiry: string | undefined;
  readonly rotates: string | undefined;
  /** Who else may read it. */
  readonly access: readonly SecretAccess[];
}

export interface SecretAccess {
  /** As Juju prints it, a tag: `application-pg` or `unit-pg-0`. */
  readonly target: string;
  /** The relation it was granted in, a tag: `relation-…`. */
  readonly scope: string;
  readonly role: string;
}

/** Metadata, which only the owner may read. */
export function secretInfoGet(tools: HookToolRunner, key: SecretKey): SecretInfo {
  // Juju takes one of the two; the id is surer.
  const args = key.id === undefined ? keyArgs(key) : [key.id];
  const value = plainMap(callJson(tools, { tool: 'secret-info-get', args }));
  const [id = '', fields] = Object.entries(value)[0] ?? [];
  const info = plainMap(fields);
  return {
    id,
    label: optionalString(info['label']),
    description: optionalString(info['description']),
    revision: Number(info['revision'] ?? 0),
    owner: info['owner'] === 'unit' ? 'unit' : 'application',
    rotation: optionalString(info['rotation']),
    expiry: optionalString(info['expiry']),
    rotates: optionalString(info['rotates']),
    access: parseAccess(info['access']),
  };
}

export interface SecretGrant {
  readonly relation: RelationKey;
  /** Only this remote unit instead of the remote application. */
  readonly unit?: string;
}

export function secretGrant(tools: HookToolRunner, id: string, grant: SecretGrant): void {
  callTool(tools, { tool: 'secret-grant', args: [...grantArgs(grant), id] });
}

/** What a revocation takes back: a grant, or all grants of an application or unit. */
export type SecretRevocation =
  | SecretGrant
  | { readonly application: string }
  | { readonly unit: string };

export function secretRevoke(tools: HookToolRunner, id: string, what: SecretRevocation): void {
  callTool(tools, { tool: 'secret-revoke', args: [...revocationArgs(what), id] });
}

/** Removes one revision, or the secret as a whole. */
export function secretRemove(tools: HookToolRunner, id: string, revision?: number): void {
  const args = revision === undefined ? [id] : [id, '--revision', String(revision)];
  callTool(tools, { tool: 'secret-remove', args });
}

/** Ids of the secrets this unit owns; with those of its application when it leads. */
export function secretIds(tools: HookToolRunner): readonly string[] {
  return stringList(callJson(tools, { tool: 'secret-ids', args: [] }));
}

function parseAccess(value: unknown): readonly SecretAccess[] {
  return (Array.isArray(value) ? value : []).map((item: unknown) => {
    const { target, scope, role } = stringMap(item);
    return { target: target ?? '', scope: scope ?? '', role: role ?? '' };
  });
}

function revocationArgs(what: SecretRevocation): readonly string[] {
  if ('relation' in what) {
    return grantArgs(what);
  }
  return 'application' in what ? ['--app', what.application] : ['--unit', what.unit];
}

function keyArgs(key: SecretKey): readonly string[] {
  return [
    ...(key.id === undefined ? [] : [key.id]),
    ...(key.label === undefined ? [] : ['--label', key.label]),
  ];
}

function metadataArgs(metadata: SecretMetadata): readonly string[] {
  return [
    ...(metadata.label === undefined ? [] : ['--label', metadata.label]),
    ...(metadata.description === undefined ? [] : ['--description', metadata.description]),
    ...(metadata.expire === undefined ? [] : ['--expire', metadata.expire.toISOString()]),
    ...(metadata.rotate === undefined ? [] : ['--rotate', metadata.rotate]),
  ];
}

function grantArgs(grant: SecretGrant): readonly string[] {
  const relation = `${grant.relation.endpoint}:${grant.relation.id}`;
  return ['--relation', relation, ...(grant.unit === undefined ? [] : ['--unit', grant.unit])];
}
