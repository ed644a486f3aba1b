/** `juju status --format oneline` (also `line`, `short`): one line a unit. */

import type { FullStatus, UnitStatus } from '../../api-status.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { groupPorts } from './ports.ts';

/** `- mysql/0: 10.0.0.5 (agent:idle, workload:active) 80/tcp`, subordinates indented. */
export function formatOneline(view: FullStatus): string {
  const lines = sorted(view.applications.flatMap(({ units }) => units)).flatMap((unit) =>
    unitLines(unit, ''),
  );
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
}

function unitLines(unit: UnitStatus, indent: string): string[] {
  const ports = groupPorts(unit.ports);
  const line = `${indent}- ${unit.name}: ${unit.address ?? ''} (agent:${unit.agent.current}, workload:${unit.workload.current})${ports === '' ? '' : ` ${ports}`}`;
  return [line, ...sorted(unit.subordinates).flatMap((item) => unitLines(item, `${indent}  `))];
}

function sorted(units: readonly UnitStatus[]): readonly UnitStatus[] {
  return units.toSorted((a, b) => compareNaturally(a.name, b.name));
}
