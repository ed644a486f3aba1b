/** resources, attach-resource, and what deploy and refresh upload. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describeError } from '#system';
import type { AgentServices } from '../../agent/services.ts';
import type { Calls } from '../../api.ts';
import type { ResourceInfo } from '../../api-resources.ts';
import { ModelError } from '../../errors.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import type { ApplicationDocument, ResourceRevision } from '../../model/documents.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';

type Services = Pick<AgentServices, 'store' | 'paths' | 'clock'>;

export function listResources(
  { services }: CallContext,
  { application }: Calls['resources']['params'],
): Calls['resources']['result'] {
  const { store } = services;
  const document = requireApplication(store, application);
  const { metadata } = store.require('charm', document.charm);
  const units = store.within('unit', application);
  return {
    resources: Object.values(metadata.resources).map((one) => describe(document, one)),
    units: Object.fromEntries(units.map(({ name, resources = {} }) => [name, resources])),
  };
}

function describe(
  { resources = {} }: ApplicationDocument,
  meta: CharmMetadata['resources'][string],
): ResourceInfo {
  const stored = resources[meta.name];
  if (stored === undefined) {
    return meta;
  }
  const { revision, size, fingerprint, uploaded } = stored;
  return { ...meta, upload: { revision, size, fingerprint, uploaded } };
}

export async function attachResource(
  { services }: CallContext,
  { application, name, path }: Calls['attach-resource']['params'],
): Promise<Calls['attach-resource']['result']> {
  const { store } = services;
  const { charm } = requireApplication(store, application);
  if (store.require('charm', charm).metadata.resources[name] === undefined) {
    throw new ModelError(
      `failed to upload resource ${JSON.stringify(name)}: resource ${JSON.stringify(name)} not found`,
      'not-found',
    );
  }
  const uploads = await copyAll(services, { [name]: path });
  store.transact((transaction) => {
    const document = transaction.require('application', application);
    transaction.patch('application', application, {
      resources: withUploads(document, uploads),
      // Units hear of it by upgrade-charm.
      charmVersion: (document.charmVersion ?? 0) + 1,
    });
  });
  await sweep(services);
  return {};
}

/** @throws ModelError for names the charm does not know. */
export function checkResourceNames(
  { resources }: CharmMetadata,
  files: Readonly<Record<string, string>>,
): void {
  const unknown = Object.keys(files).find((name) => resources[name] === undefined);
  if (unknown !== undefined) {
    throw new ModelError(`unrecognized resource ${JSON.stringify(unknown)}`);
  }
}

/** The resources of an application with what was uploaded as their next revisions. */
export function withUploads(
  { resources = {} }: ApplicationDocument,
  uploads: Readonly<Record<string, ResourceRevision>>,
): Readonly<Record<string, ResourceRevision>> | undefined {
  const added = Object.entries(uploads).map(([name, upload]) => [
    name,
    { ...upload, revision: (resources[name]?.revision ?? 0) + 1 },
  ]);
  const all = { ...resources, ...Object.fromEntries(added) };
  return Object.keys(all).length === 0 ? undefined : all;
}

/** Copies files into the sandbox; the transaction that follows names them. */
export async function copyAll(
  { paths, clock }: Pick<Services, 'paths' | 'clock'>,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, ResourceRevision>> {
  await mkdir(paths.resources, { recursive: true, mode: 0o700 });
  const copies: Record<string, ResourceRevision> = {};
  for (const [name, path] of Object.entries(files)) {
    const file = `${name}-${randomBytes(6).toString('hex')}`;
    const target = join(paths.resources, file);
    try {
      await copyFile(path, target);
    } catch (error) {
      throw new ModelError(`file for resource ${JSON.stringify(name)}: ${describeError(error)}`);
    }
    const uploaded = clock.now().toISOString();
    copies[name] = { revision: 1, file, uploaded, ...(await measure(target)) };
  }
  return copies;
}

async function measure(path: string): Promise<Pick<ResourceRevision, 'size' | 'fingerprint'>> {
  const hash = createHash('sha384');
  let size = 0;
  await pipeline(createReadStream(path), async (source) => {
    for await (const piece of source as AsyncIterable<Buffer>) {
      hash.update(piece);
      size += piece.length;
    }
  });
  return { size, fingerprint: hash.digest('hex') };
}

/** Removes files that no application names any more. */
async function sweep({ store, paths }: Services): Promise<void> {
  const used = filesInUse(store);
  for (const name of await readdir(paths.resources)) {
    if (!used.has(name)) {
      await rm(join(paths.resources, name), { force: true });
    }
  }
}

function filesInUse(reader: Reader): ReadonlySet<string> {
  return new Set(
    reader
      .all('application')
      .flatMap(({ resources = {} }) => Object.values(resources).map(({ file }) => file)),
  );
}
