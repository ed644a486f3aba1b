/** Walks the units of a status. */
import type { FullStatus, UnitStatus } from '../../api-status.ts';

/** Every unit, principals followed by their subordinates. */
export function allUnits(status: FullStatus): readonly UnitStatus[] {
  return status.applications.flatMap(({ units }) => units.flatMap(withSubordinates));
}

function withSubordinates(unit: UnitStatus): readonly UnitStatus[] {
  return [unit, ...unit.subordinates.flatMap(withSubordinates)];
}
