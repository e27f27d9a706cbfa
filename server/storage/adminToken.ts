/** The administration token: 256 bits, shown once, kept as a digest. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Database } from "./database.ts";

const NAME = "admin-token-sha256";
const digest = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Only at the first start: shown before it is kept, so that a crash between loses nothing. */
export async function firstAdminToken(db: Database, show: (token: string) => void): Promise<void> {
  const known = await db
    .selectFrom("setting")
    .select("value")
    .where("name", "=", NAME)
    .executeTakeFirst();
  if (known !== undefined) return;
  const token = randomBytes(32).toString("base64url");
  show(token);
  await db
    .insertInto("setting")
    .values({ name: NAME, value: digest(token).toString("hex") })
    .execute();
}

/** Errors: UPB-SERVER-UNAUTHORISED. */
export function requireAdmin(db: Database, authorization: string | undefined): Promise<void> {
  const given = /^Bearer ([A-Za-z0-9_-]{1,200})$/.exec(authorization ?? "")?.[1];
  return requireAdminToken(db, given);
}

/** Errors: UPB-SERVER-UNAUTHORISED. */
export async function requireAdminToken(db: Database, given: string | undefined): Promise<void> {
  const known = await db
    .selectFrom("setting")
    .select("value")
    .where("name", "=", NAME)
    .executeTakeFirst();
  const isRight =
    known !== undefined &&
    given !== undefined &&
    timingSafeEqual(digest(given), Buffer.from(known.value, "hex"));
  if (isRight) return;
  throw new UpbeatError("UPB-SERVER-UNAUTHORISED", {
    object: "administration token",
    detail: given === undefined ? "there is none" : "it is another one",
  });
}
