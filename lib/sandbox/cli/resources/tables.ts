/** Resources as tables, as cmd/juju/resource/output_tabular.go in Juju 3.6 lays them out. */
import type { ApplicationResources, ResourceInfo } from '../../api-resources.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { formatTable } from '../output/table.ts';
import { UPLOADER } from './structured-resource.ts';

/** `juju resources app`. */
export function applicationTable(resources: readonly ResourceInfo[]): string {
  return formatTable(
    ['Resource', 'Supplied by', 'Revision'],
    resources.map((one) => [
      one.name,
      one.upload === undefined ? 'upload' : UPLOADER,
      revisionOf(one),
    ]),
  );
}

/** `juju resources app/0`. */
export function unitTable(resources: readonly ResourceInfo[]): string {
  return formatTable(
    ['Resource', 'Revision'],
    resources.map((one) => [one.name, revisionOf(one)]),
  );
}

/** `juju resources app --details`. */
export function detailsTable({ resources, units }: ApplicationResources): string {
  const rows = Object.keys(units)
    .toSorted(compareNaturally)
    .flatMap((unit) => resources.map((one) => [unit, ...detailsRow(one, units[unit])]));
  return formatTable(['Unit', 'Resource', 'Revision', 'Expected'], rows);
}

/** `juju resources app/0 --details`. */
export function unitDetailsTable({ resources, units }: ApplicationResources, unit: string): string {
  return formatTable(
    ['Resource', 'Revision', 'Expected'],
    resources.map((one) => detailsRow(one, units[unit])),
  );
}

function detailsRow(one: ResourceInfo, copies: Readonly<Record<string, number>> = {}): string[] {
  const isThere = one.upload !== undefined && copies[one.name] === one.upload.revision;
  return [one.name, isThere ? revisionOf(one) : '-', revisionOf(one)];
}

/** Juju shows when a file was uploaded, to the minute. */
function revisionOf({ upload }: ResourceInfo): string {
  return upload === undefined ? '-' : upload.uploaded.slice(0, 16);
}
