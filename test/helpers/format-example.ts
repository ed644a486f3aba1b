/** The worked example of FORMAT.md: a small snapshot, and all its bytes. */
import { zstdDecompressSync } from 'node:zlib';
import { createMemoryObjectStore } from '#object-store';
import { artefactPathFor, chunkPrefixFor, type SnapshotEntry, writeSnapshot } from '#snapshots';
import { aClock, allKeys } from './snapshots.ts';

const LOCATION = { path: 'demo', model: 'prod', app: 'db' } as const;
const TIME = new Date('2026-11-21T02:03:04Z');

/** As it stands in the document. */
export async function formatExample(): Promise<string> {
  const store = createMemoryObjectStore();
  await writeSnapshot({
    store,
    artefactPath: artefactPathFor({ ...LOCATION, jobId: 'job-1', time: TIME }),
    chunkPrefix: chunkPrefixFor(LOCATION),
    entries: exampleEntries(),
    compression: true,
    attributes: { engine: 'files' },
    clock: aClock(TIME),
  });
  const sections: string[] = [];
  for (const key of await allKeys(store)) {
    const data = Buffer.from(await store.get(key));
    const isText = key.endsWith('.json');
    sections.push(
      `\`${key}\`, ${data.length} bytes:`,
      block(isText ? data.toString() : hexDump(data)),
    );
    if (key.endsWith('.zst')) {
      sections.push('which is, decompressed:', block(zstdDecompressSync(data).toString()));
    }
    if (key.includes('/chunks/')) {
      sections.push(...explainPack(data));
    }
  }
  return sections.join('\n\n');
}

async function* exampleEntries(): AsyncIterable<SnapshotEntry> {
  yield { kind: 'directory', path: 'etc', mode: 0o755 };
  const contents = { greeting: Buffer.from('hello, backup\n'), zeros: Buffer.alloc(100) };
  for (const [name, content] of Object.entries(contents)) {
    const open = async function* (): AsyncIterable<Uint8Array> {
      yield content;
    };
    yield { kind: 'file', path: `etc/${name}`, mode: 0o644, mtimeMs: TIME.getTime(), open };
  }
}

function explainPack(pack: Buffer): readonly string[] {
  const length = pack.readUInt32LE(pack.length - 40);
  const end = pack.length - 48;
  const footer = pack.subarray(end - length, end);
  const text = pack.readUInt32LE(pack.length - 36) === 1 ? zstdDecompressSync(footer) : footer;
  return [
    `Chunks up to ${hex(end - length)}, the footer up to ${hex(end)}, then the trailer. The footer is, decompressed:`,
    block(`${text.toString()}\n`),
  ];
}

function hex(offset: number): string {
  return `\`${offset.toString(16).padStart(4, '0')}\``;
}

/** Like `hexdump -C`. */
function hexDump(data: Buffer): string {
  let text = '';
  for (let at = 0; at < data.length; at += 16) {
    const row = data.subarray(at, at + 16);
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = [...row]
      .map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.'))
      .join('');
    text += `${at.toString(16).padStart(4, '0')}  ${digits.padEnd(47)}  ${letters}\n`;
  }
  return text;
}

function block(text: string): string {
  return `\`\`\`text\n${text}\`\`\``;
}
