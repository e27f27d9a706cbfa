/**
 * What the device is doing, for pages that are open: asked from its services while somebody looks,
 * and told to everybody who looks when it differs.
 */
import { reportError } from "../../protocol/errors/error.ts";
import type { Asked, DeviceView } from "../../protocol/settingsPageApi.ts";
import { deviceStatus, listServices } from "../deviceCalls.ts";

/** A person sees half a second; the services answer in a few milliseconds. */
const POLL_MS = 500;

export interface Live {
  /** Called with the view at once or as soon as it is known, then at each difference. */
  watch(show: (view: DeviceView) => void): () => void;
  /** Asks again now: something was just changed. */
  hurry(): void;
  watchers(): number;
}

export function live(root: string): Live {
  const watchers = new Set<(view: DeviceView) => void>();
  let last: { view: DeviceView; text: string } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;

  const look = async (): Promise<void> => {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    const view = await deviceView(root);
    asking = false;
    const text = JSON.stringify(view);
    if (text !== last?.text) for (const show of watchers) show(view);
    last = { view, text };
    if (watchers.size > 0) timer = setTimeout(look, POLL_MS);
    // What nobody looks at grows old: the next one to look waits for the truth.
    else last = undefined;
  };

  return {
    watch(show) {
      watchers.add(show);
      if (last !== undefined) show(last.view);
      void look();
      return () => watchers.delete(show);
    },
    hurry: () => void look(),
    watchers: () => watchers.size,
  };
}

async function deviceView(root: string): Promise<DeviceView> {
  const [device, services] = await Promise.all([
    asks(deviceStatus(root)),
    asks(listServices(root)),
  ]);
  return { device, services };
}

async function asks<T>(answer: Promise<T>): Promise<Asked<T>> {
  try {
    return { state: "ready", value: await answer };
  } catch (error) {
    return { state: "failed", error: reportError(error) };
  }
}
