/**
 * `resources` of metadata.yaml.
 * https://github.com/juju/charm/blob/v12/resource/meta.go
 */
import { ModelError } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import type { ResourceMetadata } from '../model/charm-metadata.ts';
import { recordOf, textOf } from './yaml-document.ts';

/** @throws ModelError with Juju's message where a resource is invalid. */
export function parseResources(meta: JsonRecord): Record<string, ResourceMetadata> {
  return Object.fromEntries(
    Object.entries(recordOf(meta['resources'], 'metadata: resources')).map(([name, value]) => [
      name,
      parseResource(name, recordOf(value, `metadata: resources.${name}`)),
    ]),
  );
}

function parseResource(name: string, fields: JsonRecord): ResourceMetadata {
  const type = textOf(fields['type'], 'type') ?? 'file';
  if (type !== 'file' && type !== 'oci-image') {
    throw new ModelError(`unsupported resource type ${JSON.stringify(type)}`);
  }
  const path = textOf(fields['filename'], 'filename') ?? '';
  if (type === 'file' && path === '') {
    throw new ModelError(`resource ${JSON.stringify(name)} missing filename`);
  }
  if (path.includes('/')) {
    throw new ModelError(`filename cannot contain "/" (got ${JSON.stringify(path)})`);
  }
  const description = textOf(fields['description'], 'description');
  return { name, type, path, ...(description === undefined ? {} : { description }) };
}
