/** storage-list, storage-get, storage-add. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { optionalString, plainMap, stringList } from './values.ts';

/** Ids (`data/0`) of the attached storages, of one name or of all. */
export function storageList(tools: HookToolRunner, name?: string): readonly string[] {
  const args = name === undefined ? [] : [name];
  return stringList(callJson(tools, { tool: 'storage-list', args }));
}

export interface StorageFacts {
  readonly kind: string | undefined;
  readonly location: string | undefined;
}

export function storageGet(tools: HookToolRunner, id: string): StorageFacts {
  const value = plainMap(callJson(tools, { tool: 'storage-get', args: ['-s', id] }));
  return { kind: optionalString(value['kind']), location: optionalString(value['location']) };
}

/** Asks for more instances, by name; each comes with a storage-attached event of its own. */
export function storageAdd(tools: HookToolRunner, counts: Readonly<Record<string, number>>): void {
  const args = Object.entries(counts).map(([name, count]) => `${name}=${count}`);
  callTool(tools, { tool: 'storage-add', args });
}
