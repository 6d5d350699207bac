import { join } from 'node:path';
import { openLocalObjectStore } from '../../../app/storage/local-object-store.ts';
import type { ObjectStore } from '../../../app/storage/object-store.ts';
import { makeS3ObjectStore } from '../../../app/storage/s3-object-store.ts';
import type { TableLocation } from '../../../app/storage/table-location.ts';
import type { Minio } from '../../helpers/services/minio.ts';

/** Where a destination's table lies, and how the destination is told so. */
export interface TablePlace {
  readonly location: TableLocation;
  readonly parameters: readonly { readonly name: string; readonly valueString: string }[];
  /** Opens the table's directory past any proxy. */
  open(): Promise<ObjectStore>;
}

/** @param dataDir folder of the service, which allows tables below it */
export type FindPlace = (dataDir: string) => Promise<TablePlace>;

/** In a bucket of its own. @param s3Endpoint what the service is told; default MinIO's own address */
export function onMinio(minio: Minio, s3Endpoint: string = minio.endpoint): FindPlace {
  return async () => {
    const bucket = await minio.createBucket();
    const location = minio.locate(bucket, 'tables/observations');
    return {
      location,
      parameters: [
        { name: 'tablePath', valueString: location.tablePath },
        { name: 's3Endpoint', valueString: s3Endpoint },
        { name: 'awsRegion', valueString: 'us-east-1' },
        { name: 'awsAccessKeyId', valueString: minio.accessKeyId },
        { name: 'awsSecretAccessKey', valueString: minio.secretAccessKey },
      ],
      open: async () => makeS3ObjectStore(bucket, 'tables/observations', location),
    };
  };
}

export const onDisk: FindPlace = async (dataDir) => {
  const root = join(dataDir, 'tables', 'observations');
  const tablePath = `file://${root}`;
  return {
    location: { tablePath },
    parameters: [{ name: 'tablePath', valueString: tablePath }],
    open: () => openLocalObjectStore(root, tablePath),
  };
};
