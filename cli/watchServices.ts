/**
 * `upbeat services --watch`: the service console as a screen that follows the services.
 *
 * It asks the manager once a second and draws at each change, key and new size. When the manager does
 * not answer it says so and goes on asking. The terminal is given back at every end.
 * Errors: UPB-CLI-NO-TERMINAL.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { actOnService, listServices, serviceLogs } from "../device/deviceCalls.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { ServiceAction } from "../protocol/servicesApi.ts";
import { drawServices, pressed, type ServiceScreen } from "./screen/serviceScreen.ts";
import { styleFor } from "./screen/style.ts";
import type { World } from "./world.ts";

const LOOK_MS = 1_000;
const LOG_LINES = 200;

const START: ServiceScreen = {
  services: [],
  selected: 0,
  view: "services",
  log: [],
  note: undefined,
  acting: false,
};

export async function watchServices(world: World, root: string): Promise<void> {
  const { terminal, out, interrupted } = world;
  if (terminal === undefined)
    throw new UpbeatError("UPB-CLI-NO-TERMINAL", { object: "upbeat services --watch" });
  const style = styleFor(out, world.env);
  const quit = new AbortController();
  let screen = START;
  let drawn = "";

  const draw = (): void => {
    const lines = drawServices(style, screen, { ...terminal.size(), nowMs: world.now() });
    const text = lines.map((line) => `${line}\u001b[K`).join("\r\n");
    if (text === drawn) return;
    drawn = text;
    // Over what stands there and then away with the rest: nothing flickers.
    out.write(`\u001b[H${text}\u001b[J`);
  };
  const change = (more: Partial<ServiceScreen>): void => {
    screen = { ...screen, ...more };
    draw();
  };

  const look = async (): Promise<void> => {
    try {
      const services = await listServices(root);
      const selected = Math.min(screen.selected, Math.max(0, services.length - 1));
      const name = services[selected]?.name;
      const log =
        screen.view === "log" && name !== undefined ? await serviceLogs(root, name, LOG_LINES) : [];
      const wasAway = screen.services.length === 0 && !screen.acting;
      change({ services, selected, log, ...(wasAway ? { note: undefined } : {}) });
    } catch (error) {
      change({ services: [], log: [], note: bad(error) });
    }
  };

  const act = async (action: ServiceAction): Promise<void> => {
    const name = screen.services[screen.selected]?.name;
    if (name === undefined) return;
    change({ acting: true, note: { text: `${action} ${name} ...`, isBad: false } });
    try {
      const { state } = await actOnService(root, name, action);
      change({ note: { text: `${action} ${name}: it is ${state}`, isBad: state === "failed" } });
    } catch (error) {
      change({ note: bad(error) });
    }
    screen = { ...screen, acting: false };
    await look();
  };

  const giveBack = terminal.take({
    key(key) {
      const what = pressed(screen, key);
      if (what.is === "quit") quit.abort();
      else if (what.is === "act") void act(what.action);
      else {
        const showsLog = what.screen.view === "log" && what.screen !== screen;
        change(what.screen);
        if (showsLog) void look();
      }
    },
    resized() {
      drawn = "";
      out.write("\u001b[2J");
      draw();
    },
  });
  const end = AbortSignal.any([interrupted, quit.signal]);
  try {
    while (!end.aborted) {
      await look();
      await sleep(LOOK_MS, undefined, { signal: end }).catch(() => undefined);
    }
  } finally {
    giveBack();
  }
}

function bad(error: unknown): NonNullable<ServiceScreen["note"]> {
  if (!(error instanceof UpbeatError)) throw error;
  const text =
    error.code === "UPB-LOCAL-NOT-RUNNING"
      ? "The service manager does not answer. Start it with `upbeat device run`, or mend it with `upbeat troubleshoot --fix`."
      : error.message;
  return { text, isBad: true };
}
