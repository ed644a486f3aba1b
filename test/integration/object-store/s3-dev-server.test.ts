import { createS3ObjectStore } from '#object-store';
import { describeObjectStoreContract } from '../../contract/object-store-contract.ts';
import { describeStoreFaultsContract } from '../../contract/store-faults-contract.ts';
import { startS3DevServer } from '../../helpers/s3-dev-server.ts';

const contract = {
  name: 'S3, the server of the sandbox',
  create: async () => {
    const server = await startS3DevServer('contract');
    const { endpoint, bucket, accessKey, secretKey } = server;
    const store = createS3ObjectStore({ endpoint, bucket, accessKey, secretKey });
    return {
      store,
      close: async () => {
        store.close();
        await server.stop();
      },
    };
  },
};

describeObjectStoreContract(contract);
describeStoreFaultsContract(contract);
