/** Whether the units of a bundle have places there are. */
import { quoted } from '../errors.ts';
import type { Bundle, BundleApplication } from './bundle.ts';
import { type Placement, parsePlacement } from './placement.ts';

/** Tells each mistake in Juju's words. */
export function checkPlacements(bundle: Bundle, problem: (text: string) => void): void {
  const used = new Set<string>();
  for (const [name, application] of Object.entries(bundle.applications)) {
    if (application.units >= 0 && application.to.length > application.units) {
      problem(`too many units specified in unit placement for application ${quoted(name)}`);
    }
    for (const text of application.to) {
      const placement = understood(text, problem);
      if (placement?.kind === 'machine') {
        used.add(placement.machine);
      }
      const mistake = placement === undefined ? undefined : mistakeIn(placement, text, bundle);
      if (mistake !== undefined) {
        problem(mistake);
      }
    }
  }
  for (const id of Object.keys(bundle.machines).filter((one) => !used.has(one))) {
    problem(`machine ${quoted(id)} is not referred to by a placement directive`);
  }
}

function understood(text: string, problem: (text: string) => void): Placement | undefined {
  try {
    return parsePlacement(text);
  } catch (error) {
    problem(Error.isError(error) ? error.message : String(error));
    return undefined;
  }
}

function mistakeIn(placement: Placement, text: string, bundle: Bundle): string | undefined {
  switch (placement.kind) {
    case 'new':
      return undefined;
    case 'machine':
      return bundle.machines[placement.machine] === undefined
        ? `placement ${quoted(text)} refers to a machine not defined in this bundle`
        : undefined;
    case 'application':
    case 'unit':
      return mistakeBeside(placement, text, bundle.applications[placement.application]);
  }
}

function mistakeBeside(
  placement: Extract<Placement, { kind: 'application' | 'unit' }>,
  text: string,
  target: BundleApplication | undefined,
): string | undefined {
  if (target === undefined) {
    return `placement ${quoted(text)} refers to an application not defined in this bundle`;
  }
  return placement.kind === 'unit' && placement.number >= target.units
    ? `placement ${quoted(text)} specifies a unit greater than the ${target.units} unit(s) started by the target application`
    : undefined;
}
