/** `juju status` as tables, to the letter of cmd/juju/status/output_tabular.go in Juju 3.6. */

import type { FullStatus, UnitStatus } from '../../api-status.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { formatTable } from '../output/table.ts';
import { clockTimeWithZone, type ZoneChoice } from '../output/timestamp.ts';
import { storageSection } from '../storage/tables.ts';
import { allUnits } from './all-units.ts';
import { shownBase } from './base.ts';
import { groupPorts } from './ports.ts';

export interface TabularOptions extends ZoneChoice {
  readonly relations: boolean;
  readonly storage: boolean;
}

const MAX_VERSION = 15;
const MAX_MESSAGE = 120;
const ELLIPSIS = '...';

/** The tables, separated by empty lines; sections without rows are left out. */
export function formatTabular(view: FullStatus, options: TabularOptions): string {
  const sections = [
    modelSection(view, options),
    applicationSection(view),
    unitSection(view),
    machineTable(view),
    options.relations ? relationSection(view) : '',
    options.storage ? storageSection(view.storage) : '',
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function modelSection({ model, timestamp }: FullStatus, zone: ZoneChoice): string {
  return formatTable(
    ['Model', 'Controller', 'Cloud/Region', 'Version', 'SLA', 'Timestamp'],
    [
      [
        model.name,
        model.controller,
        `${model.cloud}/${model.region}`,
        model.version,
        model.sla,
        clockTimeWithZone(new Date(timestamp), zone),
      ],
    ],
  );
}

function applicationSection(view: FullStatus): string {
  const unitsOf = new Map<string, UnitStatus[]>();
  for (const unit of allUnits(view)) {
    const application = unit.name.split('/')[0] ?? '';
    unitsOf.set(application, [...(unitsOf.get(application) ?? []), unit]);
  }
  const rows = sortedByName(view.applications).map((application) => [
    application.name,
    cut(application.workloadVersion ?? '', MAX_VERSION),
    application.status.current,
    scale(unitsOf.get(application.name) ?? []),
    application.charm.name,
    '',
    String(application.charm.revision),
    application.exposed ? 'yes' : 'no',
    cut(application.status.message ?? '', MAX_MESSAGE),
  ]);
  return rows.length === 0
    ? ''
    : formatTable(
        [
          'App',
          'Version',
          'Status',
          { title: 'Scale', align: 'right' },
          'Charm',
          'Channel',
          { title: 'Rev', align: 'right' },
          'Exposed',
          'Message',
        ],
        rows,
      );
}

/** `2`, or `1/2` when not every unit's agent is there. */
function scale(units: readonly UnitStatus[]): string {
  const present = units.filter(({ agent }) => ['idle', 'executing'].includes(agent.current));
  return present.length === units.length
    ? String(units.length)
    : `${present.length}/${units.length}`;
}

function unitSection(view: FullStatus): string {
  const units = view.applications.flatMap((application) => application.units);
  const rows = sortedByName(units).flatMap((unit) => unitRows(unit, 0));
  return rows.length === 0
    ? ''
    : formatTable(
        ['Unit', 'Workload', 'Agent', 'Machine', 'Public address', 'Ports', 'Message'],
        rows,
      );
}

function unitRows(unit: UnitStatus, depth: number): string[][] {
  const row = [
    `${'  '.repeat(depth)}${unit.name}${unit.leader ? '*' : ''}`,
    unit.workload.current,
    unit.agent.current,
    depth === 0 ? (unit.machine ?? '') : '',
    unit.address ?? '',
    groupPorts(unit.ports),
    unitMessage(unit),
  ];
  const below = sortedByName(unit.subordinates).flatMap((item) => unitRows(item, depth + 1));
  return [row, ...below];
}

function unitMessage(unit: UnitStatus): string {
  const doing = whatRuns(unit);
  const message = unit.workload.message ?? '';
  return cut(doing === undefined ? message : `(${doing}) ${message}`, MAX_MESSAGE);
}

/** The hook or action that the agent is running; relation hooks are not shown, as in Juju. */
function whatRuns({ agent }: UnitStatus): string | undefined {
  if (agent.current !== 'executing') {
    return undefined;
  }
  const hook =
    /running (install|start|config-changed|upgrade-charm|update-status|stop|remove|leader-elected|leader-settings-changed|leader-deposed|secret-(?:changed|expired|rotate|remove)|(?:pre|post)-series-upgrade) hook/;
  const message = agent.message ?? '';
  return hook.exec(message)?.[1] ?? /running action (.*)/.exec(message)?.[1];
}

/** The machines as a table; nothing without any. */
export function machineTable({ machines }: FullStatus): string {
  const rows = machines
    .toSorted((a, b) => compareNaturally(a.id, b.id))
    .map((machine) => [
      machine.id,
      machine.agent.current,
      machine.addresses[0] ?? '',
      machine.instanceId,
      shownBase(machine.base),
      '',
      machine.machine.message ?? '',
    ]);
  return rows.length === 0
    ? ''
    : formatTable(['Machine', 'State', 'Address', 'Inst id', 'Base', 'AZ', 'Message'], rows);
}

function relationSection({ relations }: FullStatus): string {
  const rows = relations
    .toSorted(
      (a, b) =>
        compareNaturally(a.provider, b.provider) || compareNaturally(a.requirer, b.requirer),
    )
    .map((relation) => [
      relation.provider,
      relation.requirer,
      relation.interface,
      relation.type,
      relation.message ?? '',
    ]);
  return rows.length === 0
    ? ''
    : formatTable(['Integration provider', 'Requirer', 'Interface', 'Type', 'Message'], rows);
}

function cut(text: string, limit: number): string {
  return text.length > limit ? text.slice(0, limit - ELLIPSIS.length) + ELLIPSIS : text;
}

function sortedByName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => compareNaturally(a.name, b.name));
}
