import { expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '../../../lab/databricks/tls/certificate.ts';

/** 3.8: the driver speaks HTTPS only, so servers of the stand-in need a certificate. */

it.each(['localhost', '127.0.0.1'])(
  'serves https://%s to a client that trusts the certificate, and to no other',
  async (host) => {
    const { key, cert } = makeCertificate();
    const server = createServer({ key, cert }, (_, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const get = (ca?: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host, port, family: 4, agent: false as const, ...(ca !== undefined && { ca }) };
        request(options, (response) => resolve(response.resume().statusCode))
          .once('error', reject)
          .end();
      });
    expect(await get(cert)).toBe(200);
    await expect(get()).rejects.toThrow(/self.signed/i);
    await expect(get(makeCertificate().cert)).rejects.toThrow();
    await new Promise((resolve) => server.close(resolve));
  },
);

it('is an authority of its own and another one each time', () => {
  const [first, second] = [makeCertificate(['localhost', 'lab.test']), makeCertificate()].map(
    ({ cert }) => new X509Certificate(cert),
  );
  expect(first?.ca).toBe(true);
  expect(first?.checkHost('lab.test')).toBe('lab.test');
  expect(first?.verify(first.publicKey)).toBe(true);
  expect(first?.serialNumber).not.toBe(second?.serialNumber);
});
