/** A device that enrols at the real server and reports what it is told to, without the programs of one. */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { z } from "zod";
import { EnrolResponse, EnrolToken, type ReportBatch } from "../../protocol/deviceApi.ts";
import type { DeviceId } from "../../protocol/ids.ts";
import { signRequest } from "../../protocol/requestSignature.ts";
import type { InstalledProduct } from "../../protocol/updateServiceApi.ts";

export interface ReportingDevice {
  readonly deviceId: DeviceId;
  report(batch: Partial<typeof ReportBatch._zod.input>): Promise<void>;
}

export async function reportingDevice(
  server: { url: string },
  adminToken: string,
  name: string,
): Promise<ReportingDevice> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const call = async (path: string, body: object, headers: Record<string, string>) => {
    const answer = await fetch(`${server.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const made = await call(
    "/api/v1/enrolment-tokens",
    {},
    { authorization: `Bearer ${adminToken}` },
  );
  const { token } = z.object({ token: EnrolToken }).parse(made);
  const publicText = publicKey.export({ format: "jwk" }).x;
  const { deviceId } = EnrolResponse.parse(
    await call("/api/v1/devices/enrol", { token: token.secret, publicKey: publicText, name }, {}),
  );
  return {
    deviceId,
    async report(fields) {
      const path = `/api/v1/devices/${deviceId}/reports`;
      const batch = { batchId: randomUUID(), sentMs: Date.now(), events: [], ...fields };
      const signed = signRequest({
        method: "POST",
        url: `${server.url}${path}`,
        body: Buffer.from(JSON.stringify(batch)),
        keyId: deviceId,
        privateKey,
        nowMs: Date.now(),
      });
      await call(path, batch, signed);
    },
  };
}

export async function reportInstalled(
  server: { url: string },
  adminToken: string,
  products: readonly (typeof InstalledProduct._zod.input)[],
): Promise<void> {
  const device = await reportingDevice(server, adminToken, "reporting");
  await device.report({ inventory: { facts: {}, products: [...products] } });
}
