/** The role of Databricks that Unity Catalog uses in commercial regions of AWS (S0.74). */
const UNITY_MASTER_ROLE = 'arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL';

export interface RoleNames {
  /** Twelve digits. */
  readonly awsAccountId: string;
  readonly roleName: string;
}

export function roleArn({ awsAccountId, roleName }: RoleNames): string {
  return `arn:aws:iam::${awsAccountId}:role/${roleName}`;
}

/**
 * Who may assume the role: Unity Catalog, and the role itself. AWS refuses a policy that names a role which does not exist yet, so the role is
 * made without `itself`.
 *
 * @param itself undefined while the role is made
 */
export function makeTrustPolicy(externalId: string, itself?: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: itself === undefined ? [UNITY_MASTER_ROLE] : [UNITY_MASTER_ROLE, itself] },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    ],
  };
}

/** What the role may do: read and write the bucket. */
export function makeBucketPolicy(bucket: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          's3:GetObject',
          's3:PutObject',
          's3:DeleteObject',
          's3:ListBucket',
          's3:GetBucketLocation',
          's3:GetLifecycleConfiguration',
          's3:PutLifecycleConfiguration',
        ],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  };
}
