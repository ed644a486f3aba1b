/**
 * What the keys of a bundle mean, and all mistakes in it at once.
 * https://github.com/juju/charm/blob/v12/bundledata.go
 */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { JsonRecord } from '../../api.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { parseConstraints } from '../arguments/constraints.ts';
import { isApplicationName } from '../arguments/names.ts';
import { readDirectives } from '../arguments/storage-directives.ts';
import { CommandError, quoted } from '../errors.ts';
import type { Bundle, BundleApplication, BundleMachine } from './bundle.ts';
import { checkKeys, KEYS, type Subject } from './bundle-keys.ts';
import { checkPlacements } from './check-placements.ts';
import { isTree, type Tree } from './read-bundle.ts';

const BASE = /^[a-z]+@\d+(?:\.\d+)?(?:\/[a-z]+)?$/;
const STORAGE_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*$/;

/** A bundle, and what in it changes nothing here. */
export interface ShapedBundle {
  readonly bundle: Bundle;
  readonly remarks: readonly string[];
}

/** @throws CommandError with Juju's messages, one a line. */
export function shapeBundle(tree: Tree): ShapedBundle {
  const shaper = new Shaper();
  const bundle = shaper.bundle(tree);
  checkPlacements(bundle, shaper.problem);
  if (shaper.problems.length > 0) {
    const list = [...new Set(shaper.problems)].join('\n');
    throw new CommandError(
      `cannot deploy bundle: the provided bundle has the following errors:\n${list}`,
    );
  }
  return { bundle, remarks: shaper.remarks };
}

class Shaper {
  readonly problems: string[] = [];
  readonly remarks: string[] = [];
  readonly problem = (text: string): void => {
    this.problems.push(text);
  };

  bundle(tree: Tree): Bundle {
    this.#keys(tree, 'bundle', '');
    const base = this.#base(
      tree['default-base'],
      (text) => `bundle declares an invalid base ${text}`,
    );
    const applications = sortedTrees(tree['applications']);
    if (applications.length === 0) {
      this.problem('at least one application must be specified');
    }
    return {
      machines: Object.fromEntries(
        sortedTrees(tree['machines']).map(([id, spec]) => [id, this.#machine(id, spec, base)]),
      ),
      applications: Object.fromEntries(
        applications.map(([name, spec]) => [name, this.#application(name, spec, base)]),
      ),
      relations: this.#relations(tree['relations'], new Set(applications.map(([name]) => name))),
    };
  }

  #keys(tree: Tree, subject: Subject, name: string): void {
    const { problems, remarks } = checkKeys(tree, KEYS[subject], `${subject} ${quoted(name)}`);
    this.problems.push(...problems);
    this.remarks.push(...remarks);
  }

  #machine(id: string, spec: unknown, base: string | undefined): BundleMachine {
    if (!/^(?:0|[1-9]\d*)$/.test(id)) {
      this.problem(`invalid machine id ${quoted(id)} found in machines`);
    }
    const tree = isTree(spec) ? spec : {};
    this.#keys(tree, 'machine', id);
    this.#constraints(tree['constraints'], `machine ${quoted(id)}`);
    const own = this.#base(
      tree['base'],
      (text) => `invalid base ${text} for machine ${quoted(id)}`,
    );
    const chosen = own ?? base;
    return chosen === undefined ? {} : { base: chosen };
  }

  #application(name: string, spec: unknown, bundleBase: string | undefined): BundleApplication {
    if (!isTree(spec)) {
      this.problem(`bundle application for key ${quoted(name)} is undefined`);
    }
    if (!isApplicationName(name)) {
      this.problem(`invalid application name ${quoted(name)}`);
    }
    const tree = isTree(spec) ? spec : {};
    this.#keys(tree, 'application', name);
    const declared = (text: string) =>
      `application ${quoted(name)} declares an invalid base ${text}`;
    const base = this.#base(tree['base'], declared) ?? bundleBase;
    const options = isTree(tree['options']) ? (tree['options'] as JsonRecord) : {};
    return {
      charm: this.#charm(tree['charm'], name),
      ...(base === undefined ? {} : { base }),
      units: this.#units(tree, name),
      to: listOfTexts(tree['to']),
      options,
      expose: tree['expose'] === true,
      trust: tree['trust'] === true || options['trust'] === true,
      constraints: this.#constraints(tree['constraints'], `application ${quoted(name)}`),
      storage: this.#storage(tree['storage'], name),
      resources: this.#resources(tree['resources'], name),
    };
  }

  #units({ num_units, scale }: Tree, name: string): number {
    const units = num_units ?? scale ?? 0;
    if (num_units !== undefined && scale !== undefined) {
      this.problem(`cannot specify both scale and num_units for application ${quoted(name)}`);
    }
    if (!Number.isInteger(units)) {
      this.problem(`num_units of application ${quoted(name)} is not a whole number`);
      return 0;
    }
    if (Number(units) < 0) {
      this.problem(`negative number of units specified on application ${quoted(name)}`);
    }
    return Number(units);
  }

  #charm(charm: unknown, name: string): string {
    if (typeof charm !== 'string' || charm === '') {
      this.problem('empty charm path');
      return '';
    }
    if (!isAbsolute(charm)) {
      this.problem(
        `charm ${quoted(charm)} of application ${quoted(name)}: the sandbox deploys local charms only, by their path`,
      );
    } else if (!existsSync(charm)) {
      this.problem(`charm path in application ${quoted(name)} does not exist: ${charm}`);
    }
    return charm;
  }

  #base(base: unknown, message: (text: string) => string): string | undefined {
    if (base === undefined || base === null || base === '') {
      return undefined;
    }
    if (typeof base !== 'string' || !BASE.test(base)) {
      this.problem(message(typeof base === 'string' ? quoted(base) : JSON.stringify(base)));
      return undefined;
    }
    return base;
  }

  #constraints(text: unknown, what: string): JsonRecord {
    try {
      return parseConstraints(typeof text === 'string' ? [text] : []);
    } catch (error) {
      this.problem(`invalid constraints ${quoted(String(text))} in ${what}: ${reasonOf(error)}`);
      return {};
    }
  }

  #storage(storage: unknown, name: string): BundleApplication['storage'] {
    const found: Record<string, BundleApplication['storage'][string]> = {};
    for (const [key, text] of sortedTrees(storage)) {
      if (!STORAGE_NAME.test(key)) {
        this.problem(`invalid storage name ${quoted(key)} in application ${quoted(name)}`);
        continue;
      }
      try {
        Object.assign(found, readDirectives([`${key}=${String(text)}`], { valueRequired: true }));
      } catch (error) {
        this.problem(
          `invalid storage ${quoted(key)} in application ${quoted(name)}: ${reasonOf(error)}`,
        );
      }
    }
    return found;
  }

  #resources(resources: unknown, name: string): Readonly<Record<string, string>> {
    const files: Record<string, string> = {};
    for (const [resource, file] of sortedTrees(resources)) {
      if (resource === '') {
        this.problem(`missing resource name on application ${quoted(name)}`);
      } else if (typeof file !== 'string') {
        this.problem(
          `resource ${quoted(resource)} of application ${quoted(name)}: the sandbox has no store, so it has to be the path of a file`,
        );
      } else if (existsSync(file)) {
        files[resource] = file;
      } else {
        this.problem(
          `file for resource ${quoted(resource)} of application ${quoted(name)}: stat ${file}: no such file or directory`,
        );
      }
    }
    return files;
  }

  #relations(relations: unknown, applications: ReadonlySet<string>): Bundle['relations'] {
    const seen = new Set<string>();
    return (Array.isArray(relations) ? relations : []).flatMap((relation) => {
      const pair = listOfTexts(relation);
      const [first, second] = pair;
      const shown = `[${pair.map(quoted).join(' ')}]`;
      if (first === undefined || second === undefined || pair.length !== 2) {
        this.problem(`relation ${shown} has ${pair.length} endpoint(s), not 2`);
        return [];
      }
      this.#ends([first, second], shown, applications);
      const key = pair.toSorted().join(' ');
      if (seen.has(key)) {
        this.problem(`relation ${shown} is defined more than once`);
      }
      seen.add(key);
      return [[first, second] as const];
    });
  }

  #ends(pair: readonly [string, string], shown: string, applications: ReadonlySet<string>): void {
    const names = pair.map((end) => {
      const [application = '', endpoint, ...rest] = end.split(':');
      if (!isApplicationName(application) || endpoint === '' || rest.length > 0) {
        this.problem(`invalid relation syntax ${quoted(end)}`);
      } else if (!applications.has(application)) {
        this.problem(
          `relation ${shown} refers to application ${quoted(application)} not defined in this bundle`,
        );
      }
      return application;
    });
    if (names[0] === names[1]) {
      this.problem(`relation ${shown} relates an application to itself`);
    }
  }
}

function sortedTrees(value: unknown): readonly (readonly [string, unknown])[] {
  return isTree(value) ? Object.entries(value).toSorted(([a], [b]) => compareNaturally(a, b)) : [];
}

function listOfTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function reasonOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
