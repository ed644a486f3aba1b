/** The manifest as text and back, with its seal. FORMAT.md#manifestjson */
import { normalize } from 'node:path/posix';
import type { Coding } from './coding.ts';
import { damagedError, SnapshotError } from './errors.ts';
import {
  CHUNK_SIZE,
  ENCRYPTED,
  FORMAT_VERSION,
  isSha256,
  MANIFEST_FORMAT,
  PAGE_SIZE,
  PAGES,
  sha256,
} from './format.ts';
import { isJsonObject, isSafeCount, type JsonObject, parseJsonObject } from './json.ts';
import type { IndexPart, SnapshotManifest, SnapshotTotals } from './types.ts';

/** `,⏎  "sha256": "` + 64 digits + `"⏎}⏎` */
const SEAL_LENGTH = 83;
/** `,⏎  "mac": "` + 64 digits + `"` */
const MAC_LENGTH = 77;

/** The manifest's bytes; the same manifest gives the same bytes. */
export function encodeManifest(manifest: SnapshotManifest, coding: Coding): Buffer {
  const { totals, keyId } = manifest;
  const content = {
    format: MANIFEST_FORMAT,
    version: manifest.formatVersion,
    requires: keyId === undefined ? [PAGES] : [ENCRYPTED, PAGES],
    'started-at': manifest.startedAt,
    'created-at': manifest.createdAt,
    attributes: manifest.attributes,
    totals: {
      entries: totals.entries,
      files: totals.files,
      bytes: totals.bytes,
      chunks: totals.chunks,
      'new-bytes': totals.newBytes,
      'stored-bytes': totals.storedBytes,
    },
    'chunk-ids': nameOfIds(manifest),
    key: keyId,
    cutting: { kind: 'fixed', size: CHUNK_SIZE, page: PAGE_SIZE },
    chunks: manifest.chunks,
    index: manifest.index.map((part) => ({
      object: part.object,
      size: part.size,
      sha256: part.sha256,
      encoding: part.encoding,
      'content-size': part.contentSize,
    })),
  };
  const text = JSON.stringify(content, undefined, 2);
  const plain = text.slice(0, -'\n}'.length);
  const proof = keyId === undefined ? '' : `,\n  "mac": "${coding.mac(Buffer.from(plain))}"`;
  const sealed = Buffer.from(`${plain}${proof}`);
  return Buffer.concat([sealed, Buffer.from(`,\n  "sha256": "${sha256(sealed)}"\n}\n`)]);
}

/**
 * @param object Key of the manifest, for messages.
 * @throws SnapshotError `not-a-backup`, `newer-format` or `damaged`
 */
export function decodeManifest(
  data: Uint8Array,
  artefactPath: string,
  object: string,
): SnapshotManifest {
  const json = parseJsonObject(Buffer.from(data).toString('utf8'));
  if (json?.['format'] !== MANIFEST_FORMAT) {
    throw foreignOrBroken(data, artefactPath, object);
  }
  assertVersion(json, artefactPath, object);
  if (!isSealed(data)) {
    throw damagedError(artefactPath, object, 'was altered: its checksum does not match');
  }
  assertFeatures(json, artefactPath, object);
  const manifest = readManifest(json);
  if (manifest === undefined) {
    throw damagedError(artefactPath, object, 'is not a valid manifest');
  }
  return manifest;
}

/**
 * That the manifest was written by somebody who knows the key, and not only has access to the bucket.
 * @throws SnapshotError `damaged`
 */
export function assertAuthentic(
  data: Uint8Array,
  coding: Coding,
  { artefactPath, object }: { readonly artefactPath: string; readonly object: string },
): void {
  const plain = data.subarray(0, -SEAL_LENGTH - MAC_LENGTH);
  const proof = Buffer.from(data.subarray(-SEAL_LENGTH - MAC_LENGTH, -SEAL_LENGTH));
  if (proof.toString('latin1') !== `,\n  "mac": "${coding.mac(plain)}"`) {
    throw damagedError(artefactPath, object, 'was not written with its key');
  }
}

/** The key prefix of the packs. @throws SnapshotError `damaged` when it leads out of the bucket */
export function resolveChunkPrefix(artefactPath: string, chunks: string): string {
  const resolved = normalize(`${artefactPath}${chunks}`);
  if (resolved.startsWith('..') || resolved.startsWith('/')) {
    throw damagedError(artefactPath, 'manifest.json', 'places the chunks outside the bucket');
  }
  return resolved === './' ? '' : resolved;
}

function foreignOrBroken(data: Uint8Array, artefactPath: string, object: string): SnapshotError {
  if (Buffer.from(data).includes(MANIFEST_FORMAT)) {
    return damagedError(artefactPath, object, 'is cut short or altered');
  }
  return new SnapshotError(
    `cannot use ${JSON.stringify(artefactPath)}: object ${JSON.stringify(object)} is not the manifest of a backup`,
    {
      code: 'not-a-backup',
      hint: 'copy the artefact path from the list of backups',
      artefactPath,
      object,
    },
  );
}

/** Before the seal is looked at: only its writer knows how a later version is sealed. */
function assertVersion(json: JsonObject, artefactPath: string, object: string): void {
  const { version } = json;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw newerFormat(artefactPath, object, `has format version ${version}`);
  }
}

/** After the seal was found sound: an unknown name may as well be a known one with a flipped bit. */
function assertFeatures(json: JsonObject, artefactPath: string, object: string): void {
  const required = Array.isArray(json['requires']) ? json['requires'] : [];
  const unknown = required.filter((name) => name !== ENCRYPTED && name !== PAGES);
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(', ');
    throw newerFormat(artefactPath, object, `needs ${names}`);
  }
}

function newerFormat(artefactPath: string, object: string, what: string): SnapshotError {
  return new SnapshotError(
    `cannot read backup ${JSON.stringify(artefactPath)}: object ${JSON.stringify(object)} ${what}; this software reads up to version ${FORMAT_VERSION}`,
    {
      code: 'newer-format',
      hint: 'upgrade this charm and try again; where no newer charm wrote this backup, the object is damaged: restore another one',
      artefactPath,
      object,
    },
  );
}

function isSealed(data: Uint8Array): boolean {
  const text = Buffer.from(data.subarray(-SEAL_LENGTH)).toString('latin1');
  const seal = /^,\n {2}"sha256": "([0-9a-f]{64})"\n\}\n$/.exec(text);
  return seal !== null && sha256(data.subarray(0, -SEAL_LENGTH)) === seal[1];
}

/** The seal says that a writer of ours wrote it; these checks guard against that writer's mistakes. */
function readManifest(json: JsonObject): SnapshotManifest | undefined {
  const totals = readTotals(json['totals']);
  const index = readParts(json['index']);
  const { attributes, chunks } = json;
  const startedAt = json['started-at'];
  const createdAt = json['created-at'];
  const texts = [chunks, startedAt, createdAt].every((it) => typeof it === 'string');
  const key = readKey(json);
  const known = json['version'] === FORMAT_VERSION && key !== undefined;
  if (!texts || !known || !isJsonObject(attributes) || !totals || !index) {
    return undefined;
  }
  return {
    formatVersion: FORMAT_VERSION,
    startedAt: String(startedAt),
    createdAt: String(createdAt),
    attributes: attributes as SnapshotManifest['attributes'],
    totals,
    ...key,
    chunks: String(chunks),
    index,
  };
}

type KeyFacts = Pick<SnapshotManifest, 'keyId' | 'chunkIds'>;

function nameOfIds({ keyId, chunkIds }: KeyFacts): string {
  const name = keyId === undefined ? 'sha-256' : 'hmac-sha-256';
  return chunkIds === 'pages' ? `${name}-pages` : name;
}

/** How chunks are named and sealed; undefined where the members contradict each other. */
function readKey(json: JsonObject): KeyFacts | undefined {
  const requires = Array.isArray(json['requires']) ? json['requires'] : [];
  const { key } = json;
  const chunkIds = requires.includes(PAGES) ? 'pages' : 'whole';
  const isEncrypted = requires.includes(ENCRYPTED);
  if (isEncrypted && typeof key !== 'string') {
    return undefined;
  }
  const facts: KeyFacts = isEncrypted ? { chunkIds, keyId: String(key) } : { chunkIds };
  return json['chunk-ids'] === nameOfIds(facts) ? facts : undefined;
}

function readParts(value: unknown): IndexPart[] | undefined {
  const parts = Array.isArray(value) ? value.map((part) => readPart(part)) : [undefined];
  const valid = parts.filter((part) => part !== undefined);
  return valid.length === parts.length ? valid : undefined;
}

function readTotals(value: unknown): SnapshotTotals | undefined {
  const it = (value ?? {}) as JsonObject;
  const totals = {
    entries: it['entries'],
    files: it['files'],
    bytes: it['bytes'],
    chunks: it['chunks'],
    newBytes: it['new-bytes'],
    storedBytes: it['stored-bytes'],
  };
  return Object.values(totals).every(isSafeCount) ? (totals as SnapshotTotals) : undefined;
}

function readPart(value: unknown): IndexPart | undefined {
  const it = (value ?? {}) as JsonObject;
  const { object, size, encoding } = it;
  const contentSize = it['content-size'];
  const digest = it['sha256'];
  const valid =
    typeof object === 'string' &&
    /^[\w.-]+$/.test(object) &&
    isSafeCount(size) &&
    isSafeCount(contentSize) &&
    isSha256(digest) &&
    (encoding === 'raw' || encoding === 'zstd');
  return valid ? { object, size, sha256: digest, encoding, contentSize } : undefined;
}
