/**
 * Decides what suits this machine: puts together everything about it, and asks the check or what the
 * last check left. Errors: those of `scan.ts`; UPB-LOCAL-* when the update service is away.
 */
import type { DeviceNow, Gathered } from "../../content/gather.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { readDeviceConfig } from "../deviceConfig.ts";
import type { DevicePaths } from "../paths.ts";
import type { OrchestratorDatabase } from "./database.ts";
import type { EventQueue } from "./eventQueue.ts";
import { factsOf } from "./facts/collect.ts";
import type { FactKeeper } from "./facts/keeper.ts";
import type { FailureLog } from "./failures.ts";
import { type DecideInput, decideAgain, type Evaluation, scan, scanOffline } from "./scan.ts";
import type { DevicePolicy } from "./settings/devicePolicy.ts";
import type { UpdateServiceCalls } from "./updateServiceCalls.ts";

export interface DecideWorld {
  readonly paths: DevicePaths;
  readonly database: OrchestratorDatabase;
  readonly queue: EventQueue;
  readonly calls: UpdateServiceCalls;
  readonly facts: FactKeeper;
  readonly policy: DevicePolicy;
  readonly failures: FailureLog;
  readonly now: () => number;
  /** Hears everything that the update service says about itself. */
  readonly observe: (status: ServiceStatus) => void;
  /** Hears each decision with what it was decided from. */
  readonly decided: (gathered: Gathered) => void;
}

/** `fresh`: facts are collected for it; otherwise those of the last hour do. */
export async function decideInput(world: DecideWorld, fresh = true): Promise<DecideInput> {
  const { paths, database, calls, now } = world;
  const config = readDeviceConfig(paths);
  if (config === undefined) {
    throw new UpbeatError("UPB-DEVICE-NOT-ENROLLED", { object: paths.config });
  }
  // Without it nobody knows what is installed, and everything would look new.
  const status = await calls.status();
  world.observe(status);
  const { products, updates: records } = status;
  const report = fresh ? world.facts.collect(products) : world.facts.recent(products);
  const device: DeviceNow = {
    deviceId: config.deviceId,
    followed: config.products,
    facts: factsOf(await report),
    products,
    records,
    layers: world.policy.local(),
    held: world.failures.held(),
  };
  return { paths, database, config, device, now, decided: world.decided };
}

export async function evaluate(world: DecideWorld, full: boolean) {
  const input = await decideInput(world);
  const evaluation = await scan({ ...input, full });
  tellOffers(world, input.config, evaluation);
  return evaluation;
}

export async function evaluateOffline(world: DecideWorld): Promise<Evaluation> {
  const input = await decideInput(world);
  const evaluation = await scanOffline(input);
  tellOffers(world, input.config, evaluation);
  return evaluation;
}

/** Something about this machine or the time changed: no network is needed to decide again. */
export async function redecide(world: DecideWorld): Promise<void> {
  const input = await decideInput(world, false);
  const evaluation = await decideAgain(input);
  if (evaluation !== undefined) tellOffers(world, input.config, evaluation);
}

function tellOffers(world: DecideWorld, { deviceId }: DeviceConfig, { result }: Evaluation): void {
  const offers = result.offers.map((offer) => offer.update);
  world.queue.addNewOffers(offers, deviceId, world.now());
}
