import { createS3ObjectStore } from '#object-store';
import { describeObjectStoreContract } from '../../contract/object-store-contract.ts';
import { startS3DevServer } from '../../helpers/s3-dev-server.ts';

describeObjectStoreContract({
  name: 'S3, the server of the sandbox',
  create: async () => {
    const server = await startS3DevServer('contract');
    const store = createS3ObjectStore(server);
    return {
      store,
      close: async () => {
        store.close();
        await server.stop();
      },
    };
  },
});
