/** Where things lie in the bucket. Foreign strings (job ids) become part of keys only through here. */
import { createHash } from 'node:crypto';
import { SnapshotError } from './errors.ts';

export interface ArtefactLocation {
  /** The configured path in the bucket; may be empty, slashes around it do not matter. */
  readonly path?: string | undefined;
  readonly model: string;
  readonly app: string;
}

export interface ArtefactIdentity extends ArtefactLocation {
  readonly jobId: string;
  readonly time: Date;
}

export interface ParsedArtefactPath extends Required<ArtefactLocation> {
  readonly path: string;
  /** undefined where the job id was too long to be kept in the path. */
  readonly jobId: string | undefined;
  readonly time: Date;
}

/** Longest encoded name kept; S3 keys end at 1024 bytes, file names at 255. */
const MAX_SEGMENT = 120;

/** `<path>/<model>/<app>/backups/<time>-<job-id>/`, the same for the same arguments. */
export function artefactPathFor(identity: ArtefactIdentity): string {
  const time = formatTime(identity.time);
  return `${applicationPrefixFor(identity)}backups/${time}-${encodeSegment(identity.jobId)}/`;
}

/** `<path>/<model>/<app>/chunks/`: what the snapshots of one application share. */
export function chunkPrefixFor(location: ArtefactLocation): string {
  return `${applicationPrefixFor(location)}chunks/`;
}

/** `<path>/<model>/<app>/`. */
export function applicationPrefixFor(location: ArtefactLocation): string {
  const path = (location.path ?? '').split('/').filter((part) => part !== '');
  const parts = [...path, encodeSegment(location.model), encodeSegment(location.app)];
  return `${parts.join('/')}/`;
}

/** The application prefix a snapshot of ours lies below: what is before `backups/<name>/`. */
export function applicationPrefixOf(artefactPath: string): string {
  return normaliseArtefactPath(artefactPath).replace(/[^/]+\/[^/]+\/$/, '');
}

/**
 * The one spelling of an artefact path: no slash before, one after.
 * @throws SnapshotError `invalid-path` for text that cannot be one.
 */
export function normaliseArtefactPath(text: string): string {
  const trimmed = text.trim().replaceAll(/^\/+|\/+$/g, '');
  if (trimmed === '' || !trimmed.isWellFormed() || trimmed.includes('\0')) {
    throw new SnapshotError(`cannot use ${JSON.stringify(text)} as artefact path`, {
      code: 'invalid-path',
      hint: 'copy the artefact path from the list of backups',
    });
  }
  return `${trimmed}/`;
}

/** Takes an artefact path of ours apart; undefined for any other text. */
export function parseArtefactPath(text: string): ParsedArtefactPath | undefined {
  const parts = text.split('/').filter((part) => part !== '');
  const [model, app, backups, name] = parts.slice(-4);
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(.+)$/.exec(name ?? '');
  if (model === undefined || app === undefined || backups !== 'backups' || match === null) {
    return undefined;
  }
  const [, year, month, day, hour, minute, second, jobId = ''] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) {
    return undefined;
  }
  return {
    path: parts.slice(0, -4).join('/'),
    model: decodeSegment(model) ?? model,
    app: decodeSegment(app) ?? app,
    jobId: decodeSegment(jobId),
    time,
  };
}

function formatTime(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
}

/**
 * Any string as letters, digits, `-` and `.`; other bytes as `_XX`. Never empty, `.` or `..`; one to one,
 * except that long strings end in `_H` and a hash.
 */
function encodeSegment(text: string): string {
  const encoded = Array.from(Buffer.from(text, 'utf8'), (byte, index) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9-]/.test(character) || (character === '.' && index > 0);
    return plain ? character : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  if (encoded === '') {
    return '_E';
  }
  if (encoded.length <= MAX_SEGMENT && text.isWellFormed()) {
    return encoded;
  }
  const kept = encoded.slice(0, 60).replace(/_[0-9A-F]?$/, '');
  return `${kept}_H${createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 32)}`;
}

function decodeSegment(encoded: string): string | undefined {
  if (encoded === '_E') {
    return '';
  }
  if (/_(?![0-9A-F]{2})/.test(encoded)) {
    return undefined;
  }
  return decodeURIComponent(encoded.replaceAll('%', '%25').replaceAll(/_([0-9A-F]{2})/g, '%$1'));
}
