/** `/healthz`: the process answers. `/readyz`: it can serve devices, or what is missing. */
import type { FastifyInstance } from "fastify";
import { isoTime } from "../../protocol/trust/verify.ts";
import type { Publishing } from "../publishing/publishing.ts";
import type { SignerProcess } from "../signerProcess.ts";

export const NO_REPOSITORY = "no repository yet: run `upbeat keys init`";

export function health(
  app: FastifyInstance,
  deps: { publishing: Publishing; signer: Pick<SignerProcess, "keys">; now: () => number },
): void {
  app.get("/healthz", async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ ok: true }),
  );
  app.get("/readyz", async (_request, reply) => {
    const problems = await problemsOf(deps);
    return reply
      .status(problems.length === 0 ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ ready: problems.length === 0, problems });
  });
}

async function problemsOf({
  publishing,
  signer,
  now,
}: {
  publishing: Publishing;
  signer: Pick<SignerProcess, "keys">;
  now: () => number;
}): Promise<string[]> {
  const current = publishing.current();
  const problems: string[] = [];
  if (current === undefined) problems.push(NO_REPOSITORY);
  for (const { expiresMs, type } of current
    ? [current.root, current.snapshot, current.timestamp]
    : [])
    if (expiresMs <= now()) problems.push(`the ${type} metadata expired ${isoTime(expiresMs)}`);
  await signer.keys().catch(() => problems.push("the signer does not answer"));
  return problems;
}
