import { targetKindOf, type DestinationTarget } from './destination.ts';
import type { ParameterValues } from './parameters.ts';

/** The target that a create asks for. @param resolved its secrets in clear, by member */
export function makeTarget(values: ParameterValues, resolved: Readonly<Record<string, string>>): DestinationTarget {
  if (targetKindOf(values.writeMode) === 'path') {
    const { tablePath = '', awsRegion, s3Endpoint } = values;
    return {
      kind: 'path',
      location: {
        tablePath,
        ...(awsRegion === undefined ? {} : { awsRegion }),
        ...(s3Endpoint === undefined ? {} : { s3Endpoint }),
        ...resolved,
      },
    };
  }
  const { workspaceUrl = '', tableName = '', warehouseId = '', ...rest } = values.databricks;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    kind: 'databricks',
    table: { workspaceUrl: withoutSlash(workspaceUrl), tableName, warehouseId, ...given, ...resolved },
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
