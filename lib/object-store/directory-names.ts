/**
 * Object keys as relative file paths and back. Ordinary keys stay as they are; a leading dot of a
 * segment is written as `%2E` (so `.` and `..` are harmless and temporary files stand apart), `%` as `%25`.
 */

/** Linux file names hold at most 255 bytes. */
const MAX_NAME_BYTES = 255;

/** The relative path of a key, or undefined when a file system cannot hold it. */
export function encodeKey(key: string): string | undefined {
  const names = key.split('/').map((segment) => encodeSegment(segment));
  const fits = names.every((name) => name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES);
  return fits ? names.join('/') : undefined;
}

/** The key segment of a file name, or undefined for a file that no store wrote. */
export function decodeName(name: string): string | undefined {
  const decoded = name.replaceAll(/%(2E|25)/g, (_, hex: string) => (hex === '25' ? '%' : '.'));
  return encodeSegment(decoded) === name ? decoded : undefined;
}

function encodeSegment(segment: string): string {
  const escaped = segment.replaceAll('%', '%25');
  return escaped.startsWith('.') ? `%2E${escaped.slice(1)}` : escaped;
}
