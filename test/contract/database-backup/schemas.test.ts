/** Our schemas against the public ones: they must agree on every document. */
import { describe, expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import providerExamples from '../../../schemas/database_backup/v0/examples/provider.json' with {
  type: 'json',
};
import requirerExamples from '../../../schemas/database_backup/v0/examples/requirer.json' with {
  type: 'json',
};
import ourProvider from '../../../schemas/database_backup/v0/provider.json' with { type: 'json' };
import ourRequirer from '../../../schemas/database_backup/v0/requirer.json' with { type: 'json' };
import ourS3 from '../../../schemas/s3/v0/provider.json' with { type: 'json' };
import publicProvider from '../../fixtures/interfaces/database_backup/v0/provider.json' with {
  type: 'json',
};
import publicRequirer from '../../fixtures/interfaces/database_backup/v0/requirer.json' with {
  type: 'json',
};
import publicS3 from '../../fixtures/interfaces/s3/v0/provider.json' with { type: 'json' };
import * as fc from '../../helpers/fast-check.ts';
import { providerDatabags, requirerDatabags, spoilt } from './documents.ts';

const ours = new Ajv2019({ strict: true, schemas: [ourS3, ourRequirer, ourProvider] });
const theirs = new Ajv2019({ strict: false, schemas: [publicS3, publicRequirer, publicProvider] });

interface Example {
  readonly name: string;
  readonly databag: unknown;
}

const ends = [
  {
    end: 'requirer',
    ourId: ourRequirer.$id,
    publicId: publicRequirer.$id,
    examples: requirerExamples,
    publicExamples: publicRequirer.examples,
    documents: requirerDatabags,
  },
  {
    end: 'provider',
    ourId: ourProvider.$id,
    publicId: publicProvider.$id,
    examples: providerExamples,
    publicExamples: publicProvider.examples,
    documents: providerDatabags,
  },
];

describe.each(ends)(
  'the $end schema',
  ({ ourId, publicId, examples, publicExamples, documents }) => {
    const weAccept = (document: unknown): boolean => ours.validate(ourId, document);
    const theyAccept = (document: unknown): boolean => theirs.validate(publicId, document);

    test('says in draft 2019-09 which version it is written in', () => {
      expect(ours.getSchema(ourId)?.schema).toMatchObject({
        $schema: 'https://json-schema.org/draft/2019-09/schema',
      });
    });

    test.each<Example>(examples.accepted)('accepts, like the public one: $name', ({ databag }) => {
      expect({ ours: weAccept(databag), public: theyAccept(databag) }).toEqual({
        ours: true,
        public: true,
      });
    });

    test.each<Example>(examples.rejected)('rejects, like the public one: $name', ({ databag }) => {
      expect({ ours: weAccept(databag), public: theyAccept(databag) }).toEqual({
        ours: false,
        public: false,
      });
    });

    test('accepts the examples inside the public schema', () => {
      expect(publicExamples.map(weAccept)).toEqual(publicExamples.map(() => true));
    });

    test('accepts whatever is generated to be valid, as the public one does', () => {
      fc.assert(
        fc.property(documents, (document) => {
          expect([weAccept(document), theyAccept(document)]).toEqual([true, true]);
        }),
        { numRuns: 300 },
      );
    });

    test('agrees with the public one on every spoilt document, of which both kinds occur', () => {
      const verdicts = new Set<boolean>();
      fc.assert(
        fc.property(spoilt(documents), (document) => {
          verdicts.add(theyAccept(document));
          expect(weAccept(document)).toBe(theyAccept(document));
        }),
        { numRuns: 3000 },
      );
      expect(verdicts).toEqual(new Set([true, false]));
    });

    test('agrees with the public one on arbitrary JSON', () => {
      fc.assert(
        fc.property(fc.jsonValue(), (document) => {
          expect(weAccept(document)).toBe(theyAccept(document));
        }),
      );
    });
  },
);
