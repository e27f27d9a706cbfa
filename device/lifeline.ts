/**
 * How a service ends: once, on SIGTERM, on SIGINT, or when the service manager that started it is
 * gone (its IPC channel closes, also when the manager was killed), so that no orphan holds a socket.
 * A service that was started by hand has no such channel and lives on.
 */
export function onEnd(stop: () => Promise<void> | void): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    Promise.resolve()
      .then(stop)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("disconnect", end);
  // The manager may be gone before this line runs.
  if (process.send !== undefined && !process.connected) end();
}
