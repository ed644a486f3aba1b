/** `juju status` as tables, to the letter of cmd/juju/status/output_tabular.go in Juju 3.6. */

import type { FullStatus, UnitStatus } from '../../api-status.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { splitSource } from '../cross-model/offer-url.ts';
import { type Cell, formatTable } from '../output/table.ts';
import { clockTimeWithZone, type ZoneChoice } from '../output/timestamp.ts';
import { storageSection } from '../storage/tables.ts';
import { allUnits } from './all-units.ts';
import { shownBase } from './base.ts';
import { type Paint, plain, statusColour } from './colours.ts';
import { groupPorts } from './ports.ts';

export interface TabularOptions extends ZoneChoice {
  readonly relations: boolean;
  readonly storage: boolean;
  /** Plain unless told. */
  readonly paint?: Paint;
}

const MAX_VERSION = 15;
const MAX_MESSAGE = 120;
const ELLIPSIS = '...';

/** The tables, separated by empty lines; sections without rows are left out. */
export function formatTabular(view: FullStatus, options: TabularOptions): string {
  const paint = options.paint ?? plain;
  const sections = [
    modelSection(view, options),
    saasSection(view, paint),
    applicationSection(view, paint),
    unitSection(view, paint),
    machineTable(view, paint),
    offerSection(view),
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

function saasSection({ remoteApplications }: FullStatus, paint: Paint): string {
  const rows = sortedByName(remoteApplications).map(({ name, status, url }) => {
    const { source, path } = splitSource(url);
    return [name, paintStatus(status.current, paint), source, path];
  });
  return rows.length === 0 ? '' : formatTable(['SAAS', 'Status', 'Store', 'URL'], rows);
}

function offerSection({ offers }: FullStatus): string {
  const rows = sortedByName(offers).flatMap((offer) =>
    offer.endpoints
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, interface: relationInterface, role }, index) => [
        ...(index === 0
          ? [
              offer.name,
              offer.application,
              offer.charm.name,
              String(offer.charm.revision),
              `${offer.active}/${offer.connections}`,
            ]
          : ['', '', '', '', '']),
        name,
        relationInterface,
        role,
      ]),
  );
  return rows.length === 0
    ? ''
    : formatTable(
        ['Offer', 'Application', 'Charm', 'Rev', 'Connected', 'Endpoint', 'Interface', 'Role'],
        rows,
      );
}

function applicationSection(view: FullStatus, paint: Paint): string {
  const unitsOf = new Map<string, UnitStatus[]>();
  for (const unit of allUnits(view)) {
    const application = unit.name.split('/')[0] ?? '';
    unitsOf.set(application, [...(unitsOf.get(application) ?? []), unit]);
  }
  const rows = sortedByName(view.applications).map((application) => [
    application.name,
    cut(application.workloadVersion ?? '', MAX_VERSION),
    paintStatus(application.status.current, paint),
    scale(unitsOf.get(application.name) ?? [], paint),
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
function scale(units: readonly UnitStatus[], paint: Paint): Cell {
  const present = units.filter(({ agent }) => ['idle', 'executing'].includes(agent.current));
  return present.length === units.length
    ? String(units.length)
    : paint(`${present.length}/${units.length}`, 'yellow');
}

function paintStatus(status: string, paint: Paint): Cell {
  return paint(status, statusColour(status));
}

function unitSection(view: FullStatus, paint: Paint): string {
  const units = view.applications.flatMap((application) => application.units);
  const rows = sortedByName(units).flatMap((unit) => unitRows(unit, 0, paint));
  return rows.length === 0
    ? ''
    : formatTable(
        ['Unit', 'Workload', 'Agent', 'Machine', 'Public address', 'Ports', 'Message'],
        rows,
      );
}

function unitRows(unit: UnitStatus, depth: number, paint: Paint): Cell[][] {
  const row: Cell[] = [
    `${'  '.repeat(depth)}${unit.name}${unit.leader ? '*' : ''}`,
    paintStatus(unit.workload.current, paint),
    paintStatus(unit.agent.current, paint),
    depth === 0 ? (unit.machine ?? '') : '',
    paint(unit.address ?? '', 'cyan'),
    groupPorts(unit.ports),
    unitMessage(unit),
  ];
  const below = sortedByName(unit.subordinates).flatMap((item) => unitRows(item, depth + 1, paint));
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
export function machineTable({ machines }: FullStatus, paint: Paint = plain): string {
  const rows = machines
    .toSorted((a, b) => compareNaturally(a.id, b.id))
    .map((machine) => [
      machine.id,
      paintStatus(machine.agent.current, paint),
      paint(machine.addresses[0] ?? '', 'cyan'),
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
