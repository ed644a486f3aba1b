/** resource-get. */
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { unitDirectory } from '../agent/unit-directory.ts';
import type { Tool } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const resourceGet: Tool = {
  name: 'resource-get',
  summary: 'Get the path to the locally cached resource file.',
  usage: '<resource name>',
  flags: {},
  run({ args: [name, ...extra], context }) {
    if (name === undefined || name === '') {
      throw usageError('missing required resource name');
    }
    refuseExtra(extra);
    const { store, unit, application: app, services } = context;
    const application = store.require('application', app);
    const meta = store.require('charm', application.charm).metadata.resources[name];
    const stored = application.resources?.[name];
    if (meta === undefined || stored === undefined) {
      throw new ToolError(
        `could not download resource: HTTP request failed: resource#${app}/${name} not found`,
      );
    }
    const directory = join(unitDirectory(services.paths, unit).root, 'resources', name);
    const path = join(directory, meta.path);
    const { resources = {} } = context.unitDocument();
    if (resources[name] !== stored.revision || !existsSync(path)) {
      mkdirSync(directory, { recursive: true });
      copyFileSync(join(services.paths.resources, stored.file), `${path}.new`);
      renameSync(`${path}.new`, path);
      store.transact((transaction) =>
        transaction.patch('unit', unit, { resources: { ...resources, [name]: stored.revision } }),
      );
    }
    return { stdout: path };
  },
};

export const resourceTools: readonly Tool[] = [resourceGet];
