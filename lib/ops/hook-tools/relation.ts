/** relation-ids, relation-list, relation-get, relation-set, relation-model-get. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { stringMapYaml } from './text.ts';
import { optionalString, plainMap, stringList, stringMap } from './values.ts';

/** How Juju names a relation: `endpoint:id`. */
export interface RelationKey {
  readonly endpoint: string;
  readonly id: number;
}

/** Ids of the relations of an endpoint, in ascending order. */
export function relationIds(tools: HookToolRunner, endpoint: string): readonly number[] {
  const value = callJson(tools, { tool: 'relation-ids', args: [endpoint] });
  return stringList(value)
    .map((text) => Number(text.slice(text.lastIndexOf(':') + 1)))
    .toSorted((a, b) => a - b);
}

/** Names of the remote units (of a peer relation: the other units). */
export function relationList(tools: HookToolRunner, relation: RelationKey): readonly string[] {
  return stringList(callJson(tools, { tool: 'relation-list', args: ['-r', idText(relation)] }));
}

/** Name of the remote application (of a peer relation: the own one). */
export function relationListApp(tools: HookToolRunner, relation: RelationKey): string | undefined {
  const args = ['-r', idText(relation), '--app'];
  return optionalString(callJson(tools, { tool: 'relation-list', args }));
}

/** A whole databag; `application` says whether `name` is an application's or a unit's. */
export function relationGet(
  tools: HookToolRunner,
  relation: RelationKey,
  owner: { readonly name: string; readonly application: boolean },
): Readonly<Record<string, string>> {
  const args = ['-r', idText(relation), ...(owner.application ? ['--app'] : []), '-', owner.name];
  return stringMap(callJson(tools, { tool: 'relation-get', args }));
}

/** Writes keys of the own databag in one call; an empty value deletes its key. */
export function relationSet(
  tools: HookToolRunner,
  relation: RelationKey,
  data: Readonly<Record<string, string>>,
  options: { readonly application: boolean },
): void {
  callTool(tools, {
    tool: 'relation-set',
    args: ['-r', idText(relation), ...(options.application ? ['--app'] : []), '--file', '-'],
    stdin: stringMapYaml(data),
  });
}

/** UUID of the model at the other end (Juju 3.6.2 and later). */
export function relationModelGet(tools: HookToolRunner, relation: RelationKey): string | undefined {
  const value = callJson(tools, { tool: 'relation-model-get', args: ['-r', idText(relation)] });
  return optionalString(plainMap(value)['uuid']);
}

function idText(relation: RelationKey): string {
  return `${relation.endpoint}:${relation.id}`;
}
