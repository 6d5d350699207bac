import { missing, ok, skipped, unknown, type Check } from '../check.ts';

/** Workspace, Zerobus and bucket are in one region (S0.73, contract §2.4). */
export const regionCheck: Check = {
  id: 'region',
  title: 'one region for all',
  needs: ['secret'],
  async run(examination) {
    const unity = examination.findUnity();
    const { region, awsRegion } = examination.target;
    if (unity === undefined || (region === undefined && awsRegion === undefined)) return skipped('no region is given');
    const actual = (await examination.getMetastore(unity)).region;
    if (actual === undefined) return unknown('the metastore does not tell its region');
    if (region !== undefined && region !== actual)
      return missing(`databricksRegion is ${region}`, `${actual}, that of the metastore`, [
        `{"name": "databricksRegion", "valueString": "${actual}"}`,
      ]);
    if (awsRegion !== undefined && awsRegion !== actual)
      return missing(`awsRegion is ${awsRegion}`, `${actual}, that of the metastore and the workspace`, [
        `{"name": "awsRegion", "valueString": "${actual}"}   # and the bucket must be there: aws s3api get-bucket-location`,
      ]);
    return ok(actual);
  },
};
