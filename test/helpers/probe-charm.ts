/** A charm whose behaviour each test writes down itself. */
import { CharmBase, type Framework } from '#ops';
import { Context, type ContextOptions } from '#ops/testing';

export const PROBE_META = {
  name: 'probe',
  provides: { website: { interface: 'http' } },
  requires: { database: { interface: 'sql', limit: 1 }, cache: 'redis' },
  peers: { cluster: { interface: 'probe_peers' } },
  storage: { data: { type: 'filesystem', multiple: { range: '0-4' } } },
  resources: { blob: { type: 'file', filename: 'blob.bin' } },
  'extra-bindings': { admin: null },
  config: {
    options: {
      port: { type: 'int', default: 80 },
      ratio: { type: 'float' },
      title: { type: 'string' },
      debug: { type: 'boolean', default: false },
      credentials: { type: 'secret' },
    },
  },
  actions: {
    greet: {
      description: 'Say hello',
      params: { name: { type: 'string', default: 'you' }, times: { type: 'integer' } },
      additionalProperties: false,
    },
    wipe: { params: { sure: { type: 'boolean' } }, required: ['sure'] },
  },
};

export class ProbeCharm extends CharmBase {}

/** A context for a probe charm that `setUp` furnishes with observers in its constructor. */
export function probe(
  setUp: (charm: ProbeCharm, framework: Framework) => unknown,
  options: Partial<ContextOptions> = {},
): Context<ProbeCharm> {
  class FurnishedCharm extends ProbeCharm {
    constructor(framework: Framework) {
      super(framework);
      setUp(this, framework);
    }
  }
  return new Context(FurnishedCharm, { meta: PROBE_META, ...options });
}
