import { makeUnityBody } from './errors.ts';
import type { FaultAnswer } from './faults.ts';
import type { Service } from './journal.ts';

/** Errors of sections 7.1 and 7.2 that a REST service can be told to answer, by name. Those of the warehouse (7.3) are its own. */
export const NAMED_ERRORS: Partial<Record<Service, Readonly<Record<string, FaultAnswer>>>> = {
  token: {
    ...transport(),
    '401 invalid_client': token(401, 'invalid_client', 'Client authentication failed'),
    '401 invalid_authorization_details': token(
      401,
      'invalid_authorization_details',
      'User is not authorized to the requested authorizations',
    ),
    '403 access_denied': token(403, 'access_denied', "Scopes 'all-apis' are not assigned to the client"),
    '400 invalid_request': token(400, 'invalid_request', 'The request is missing a required parameter.'),
    '400 unsupported_grant_type': token(400, 'unsupported_grant_type', 'Unsupported grant type'),
    '400 invalid_scope': token(400, 'invalid_scope', 'The requested scope is invalid.'),
    '404 html': html(404),
    '429': { status: 429, headers: { 'retry-after': '1' }, body: 'Too Many Requests' },
    '500': { status: 500, body: '<html>Internal Server Error</html>', headers: { 'content-type': 'text/html' } },
    '503': { status: 503, body: 'upstream connect error or disconnect/reset before headers' },
    'older form': { status: 400, body: { errorCode: 'E0000021', errorSummary: 'Bad request.' } },
  },
  zerobus: {
    ...transport(),
    '400 empty': { status: 400 },
    '400 4024': zerobus(
      400,
      'INVALID_PARAMETER_VALUE',
      'Unsupported table kind. Tables created in default storage are not supported. Error Code: 4024, Error State: 1.',
    ),
    '403 4024': zerobus(
      403,
      'PERMISSION_DENIED',
      'Unsupported table kind. Tables created in default storage are not supported. Error Code: 4024, Error State: 1.',
    ),
    '400 4044 unrecognized field': record("unrecognized field name 'ip' at line 1 column 285"),
    '400 4044': record('invalid digit found in string at line 1 column 12'),
    '400 missing column': record("missing required field 'id' at line 1 column 2"),
    '401': zerobus(401, 'UNAUTHENTICATED', 'Authentication failed.'),
    '403': zerobus(403, 'PERMISSION_DENIED', 'Authorization token is missing MODIFY privilege for a table. Error Code: 3'),
    '404': zerobus(404, 'NOT_FOUND', 'Table cannot be found.'),
    '409': zerobus(409, 'ABORTED', 'The operation was aborted.'),
    '429': zerobus(429, 'RESOURCE_EXHAUSTED', 'Too many requests.', { 'retry-after': '1' }),
    '429 without retry-after': zerobus(429, 'REQUEST_LIMIT_EXCEEDED', 'Too many requests.'),
    '499': zerobus(499, 'CANCELLED', 'The operation was cancelled.'),
    '500': zerobus(500, 'INTERNAL_ERROR', 'An internal error occurred.'),
    '501': zerobus(501, 'NOT_IMPLEMENTED', 'Not implemented.'),
    '503': zerobus(503, 'TEMPORARILY_UNAVAILABLE', 'The service is temporarily unavailable.'),
    '504': zerobus(504, 'DEADLINE_EXCEEDED', 'The operation took too long.'),
  },
  unity: {
    ...transport(),
    EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE: unity(
      400,
      'INVALID_PARAMETER_VALUE',
      'Table is not eligible for external engine writes',
      {
        reason: 'EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE',
        metadata: { securableKind: 'TABLE_DELTA' },
      },
    ),
    EXTERNAL_ACCESS_DISABLED_ON_METASTORE: unity(
      403,
      'PERMISSION_DENIED',
      'External Data Access from non Databricks Compute environment is disabled for metastore.',
      { reason: 'EXTERNAL_ACCESS_DISABLED_ON_METASTORE' },
    ),
    'EXTERNAL USE SCHEMA': unity(403, 'PERMISSION_DENIED', "User does not have EXTERNAL USE SCHEMA on Schema 'main.fhir'."),
    '401 table credentials denied': unity(401, 'UNAUTHENTICATED', 'Request is denied.', {
      reason: 'UNITY_CATALOG_EXTERNAL_GENERATE_TABLE_CREDENTIALS_DENIED',
    }),
    '401 path credentials denied': unity(401, 'UNAUTHENTICATED', 'Request is denied.', {
      reason: 'UNITY_CATALOG_EXTERNAL_GENERATE_PATH_CREDENTIALS_DENIED',
    }),
    'managed overlap': unity(
      400,
      'INVALID_PARAMETER_VALUE',
      "Input path url 's3://bucket/managed/t' overlaps with managed storage within 'CreateTable' call.",
    ),
    LOCATION_OVERLAP: unity(
      400,
      'LOCATION_OVERLAP',
      "Input path url 's3://bucket/t' overlaps with other external tables or volumes.",
    ),
    'EXTERNAL USE SCHEMA is not applicable': unity(
      400,
      'INVALID_PARAMETER_VALUE',
      'Privilege EXTERNAL USE SCHEMA is not applicable to this entity.',
    ),
    TABLE_DOES_NOT_EXIST: unity(404, 'TABLE_DOES_NOT_EXIST', 'Table does not exist.'),
    SCHEMA_DOES_NOT_EXIST: unity(404, 'SCHEMA_DOES_NOT_EXIST', 'Schema does not exist.'),
    CATALOG_DOES_NOT_EXIST: unity(404, 'CATALOG_DOES_NOT_EXIST', 'Catalog does not exist.'),
    TABLE_ALREADY_EXISTS: unity(400, 'TABLE_ALREADY_EXISTS', 'Table already exists.'),
    RESOURCE_ALREADY_EXISTS: unity(409, 'RESOURCE_ALREADY_EXISTS', 'Table already exists.'),
    RESOURCE_CONFLICT: unity(409, 'RESOURCE_CONFLICT', 'The resource is being changed.'),
    ABORTED: unity(409, 'ABORTED', 'The operation was aborted.'),
    PERMISSION_DENIED: unity(403, 'PERMISSION_DENIED', "User does not have USE SCHEMA on Schema 'main.fhir'."),
    'IP access list': unity(403, 'PERMISSION_DENIED', 'IP address 10.0.0.1 is blocked by Databricks IP ACL.'),
    '401 invalid token': { status: 401, body: { error_code: 'UNAUTHENTICATED', message: 'Invalid access token' } },
    '401 without code': { status: 401, body: { message: 'Token is expired' } },
    '429': unity(429, 'REQUEST_LIMIT_EXCEEDED', 'Too many requests.', {}, { 'retry-after': '1' }),
    '429 RESOURCE_EXHAUSTED': unity(429, 'RESOURCE_EXHAUSTED', 'Too many requests.'),
    '500': unity(500, 'INTERNAL_ERROR', 'An internal error occurred.'),
    '503': unity(503, 'TEMPORARILY_UNAVAILABLE', 'The service is temporarily unavailable.'),
    '504': unity(504, 'DEADLINE_EXCEEDED', 'The operation took too long.'),
  },
  'warehouse-state': {
    ...transport(),
    '401': { status: 401, body: { error_code: 'UNAUTHENTICATED', message: 'Invalid access token' } },
    '403': {
      status: 403,
      body: { error_code: 'PERMISSION_DENIED', message: 'The principal has no permission on the warehouse.' },
    },
    '404': { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'The warehouse does not exist.' } },
    '429': {
      status: 429,
      headers: { 'retry-after': '1' },
      body: { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'Too many requests.' },
    },
    '500': { status: 500, body: { error_code: 'INTERNAL_ERROR', message: 'An internal error occurred.' } },
    '503': { status: 503, body: { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'The service is temporarily unavailable.' } },
  },
};

/** 7.1: what proxies and login pages answer for any service. */
function transport(): Record<string, FaultAnswer> {
  return {
    '200 html': html(200),
    '302 html': { ...html(302), headers: { ...html(302).headers, location: 'https://login.example.com/' } },
    '403 html': html(403),
    '407': { status: 407, headers: { 'proxy-authenticate': 'Basic realm="proxy"' }, body: 'Proxy Authentication Required' },
    '408': { status: 408, body: 'Request Timeout' },
    '413': { status: 413, body: 'Payload Too Large' },
    '502 html': html(502),
    '504 html': html(504),
  };
}

function html(status: number): FaultAnswer {
  return { status, headers: { 'content-type': 'text/html' }, body: '<!doctype html><html><body>Sign in</body></html>' };
}

function token(status: number, error: string, error_description: string): FaultAnswer {
  return { status, body: { error, error_description } };
}

function zerobus(status: number, error_code: string, message: string, headers?: Record<string, string>): FaultAnswer {
  return { status, body: { error_code, message }, ...(headers && { headers }) };
}

function record(problem: string): FaultAnswer {
  return zerobus(400, 'INVALID_PARAMETER_VALUE', `Record decoder/encoder error: ${problem}. Error Code: 4044, Error State: 3.`);
}

function unity(
  status: number,
  code: string,
  message: string,
  info: { reason?: string; metadata?: Record<string, string> } = {},
  headers?: Record<string, string>,
): FaultAnswer {
  return { status, body: makeUnityBody(code, message, info), ...(headers && { headers }) };
}
