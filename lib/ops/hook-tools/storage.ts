/** storage-list, storage-get, storage-add. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { optionalString, plainMap, stringList } from './values.ts';

/** Ids (`data/0`) of the attached storages of a name. */
export function storageList(tools: HookToolRunner, name: string): readonly string[] {
  return stringList(callJson(tools, { tool: 'storage-list', args: [name] }));
}

export interface StorageFacts {
  readonly kind: string | undefined;
  readonly location: string | undefined;
}

export function storageGet(tools: HookToolRunner, id: string): StorageFacts {
  const value = plainMap(callJson(tools, { tool: 'storage-get', args: ['-s', id] }));
  return { kind: optionalString(value['kind']), location: optionalString(value['location']) };
}

/** Asks for more instances; they come with a storage-attached event of their own. */
export function storageAdd(tools: HookToolRunner, name: string, count: number): void {
  callTool(tools, { tool: 'storage-add', args: [`${name}=${count}`] });
}
