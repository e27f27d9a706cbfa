/** A download stops within two seconds when it is told to, keeps what arrived, and goes on later. */
import { randomBytes } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { callLocal } from "../../device/localClient.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

let device: OrchestratedDevice;
afterEach(() => device.close());

const pause = async (): Promise<boolean> => {
  const socket = device.paths.updateServiceSocket;
  const answer = z.object({ paused: z.boolean() });
  return (await callLocal(socket, "POST", "/v1/pause", answer, {})).paused;
};

it("a download that is paused is neither failed nor lost", async () => {
  device = await orchestratedDevice(["kiosk"]);
  device.publish("kiosk", "1.0");
  expect(await pause()).toBe(false);
  await device.check();
  // The content never comes to its end: only the pause can end this download.
  let asked = (): void => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const content = [...device.simulator.files.keys()].find((name) => name.startsWith("content/"));
  device.server.faults.set(content ?? "", (_request, response) => {
    response.writeHead(200, { "content-length": 10_000_000 });
    response.write(randomBytes(10));
    asked();
  });
  const download = device.change({ kind: "download" });
  await begun;
  expect(await pause()).toBe(true);
  expect(await download).toMatchObject({
    state: "failed",
    error: { code: "UPB-DOWNLOAD-PAUSED" },
    updates: [{ state: "paused" }],
  });
  device.server.faults.clear();
  const again = await device.change({ kind: "download" });
  expect(again).toMatchObject({ state: "succeeded", updates: [{ state: "downloaded" }] });
});
