/**
 * What decides about offers on a machine, as it is reported to the server and as the server reads it
 * again, so that both give the same answer from the same code (`gather.ts`).
 */
import type { DeviceSummary } from "../protocol/adminApi.ts";
import type { Facts, OfferInputs } from "../protocol/deviceApi.ts";
import type { DeviceNow } from "./gather.ts";

/** Facts and installed products stand beside it in the report. */
export function reportedInputs(device: DeviceNow): OfferInputs {
  return {
    followed: [...device.followed],
    layers: device.layers.flatMap(({ layer, values }) =>
      // The server has its own layer, signed.
      layer === "server" ? [] : [{ layer, values }],
    ),
    rolledBack: device.records.flatMap(({ state, manifestSha256 }) =>
      state === "rolled-back" ? [manifestSha256] : [],
    ),
    held: device.held.map(({ manifestSha256, failures, untilMs, because }) => ({
      manifestSha256,
      failures,
      ...(untilMs === undefined ? {} : { untilMs }),
      because,
    })),
  };
}

export const deviceNowFrom = (
  { deviceId, products }: Pick<DeviceSummary, "deviceId" | "products">,
  facts: Facts,
  inputs: OfferInputs,
): DeviceNow => ({
  deviceId,
  facts,
  products,
  followed: inputs.followed,
  layers: inputs.layers,
  records: inputs.rolledBack.map((manifestSha256) => ({ manifestSha256, state: "rolled-back" })),
  held: inputs.held.map(({ untilMs, ...rest }) => ({
    ...rest,
    ...(untilMs === undefined ? {} : { untilMs }),
  })),
});
