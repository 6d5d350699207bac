/** Where a table lives and how it is reached. Every field but `tablePath` is optional and concerns S3 only. */
export interface TableLocation {
  /** `file:///…`, `s3://bucket/prefix`, later `gs://…` and `abfss://…`. */
  readonly tablePath: string;
  /** Bucket region. When absent: the region of the AWS environment, or `us-east-1` when `s3Endpoint` is given. */
  readonly awsRegion?: string;
  /** `http(s)://host:port` of an S3-compatible store; makes requests path-style (S0.55). */
  readonly s3Endpoint?: string;
  /** Static key pair (S0.54). Without it the AWS default chain is used (S0.35). Never shown, never logged. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}
