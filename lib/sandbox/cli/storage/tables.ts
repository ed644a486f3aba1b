/** Storage as tables, as cmd/juju/storage/listformatters.go in Juju 3.6 lays them out. */
import type { StorageInfo } from '../../api-storage.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { formatTable } from '../output/table.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const MEBIBYTE = 1024 * 1024;

/** `juju storage`. */
export function storageTable(all: readonly StorageInfo[]): string {
  return formatTable(
    ['Unit', 'Storage ID', 'Type', 'Pool', 'Size', 'Status', 'Message'],
    byUnit(all).map((one) => [
      one.attachment?.unit ?? '',
      one.id,
      one.kind,
      one.pool,
      humanSize(one.size),
      one.status.current,
      one.status.message ?? '',
    ]),
  );
}

/** The section of `juju status --storage`. */
export function storageSection(all: readonly StorageInfo[]): string {
  return all.length === 0
    ? ''
    : formatTable(
        ['Storage Unit', 'Storage ID', 'Type', 'Pool', 'Mountpoint', 'Size', 'Status', 'Message'],
        byUnit(all).map((one) => [
          one.attachment?.unit ?? '',
          one.id,
          one.kind,
          one.pool,
          one.attachment?.location ?? '',
          humanSize(one.size),
          one.status.current,
          one.status.message ?? '',
        ]),
      );
}

/** `juju storage --filesystem`. */
export function filesystemTable(all: readonly StorageInfo[]): string {
  return formatTable(
    [
      'Machine',
      'Unit',
      'Storage ID',
      'ID',
      'Volume',
      'Provider ID',
      'Mountpoint',
      'Size',
      'State',
      'Message',
    ],
    byUnit(all).map((one) => [
      one.attachment?.machine ?? '',
      one.attachment?.unit ?? '',
      one.id,
      one.filesystem,
      '',
      one.filesystem,
      one.attachment?.location ?? '',
      humanSize(one.size),
      one.status.current,
      one.status.message ?? '',
    ]),
  );
}

/** Detached storage first, then by unit and id. */
function byUnit(all: readonly StorageInfo[]): readonly StorageInfo[] {
  return all.toSorted(
    (a, b) =>
      compareNaturally(a.attachment?.unit ?? '', b.attachment?.unit ?? '') ||
      compareNaturally(a.id, b.id),
  );
}

/** MiB as `1.0 GiB` or `512 MiB`: one decimal below ten. */
export function humanSize(mebibytes: number): string {
  if (mebibytes <= 0) {
    return '';
  }
  let value = mebibytes * MEBIBYTE;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const rounded = Math.floor(value * 10 + 0.5) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)} ${UNITS[unit] ?? ''}`;
}
