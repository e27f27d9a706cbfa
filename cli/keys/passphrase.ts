/**
 * Where a passphrase comes from: --passphrase-file, UPBEAT_PASSPHRASE, or a question without echo.
 * Errors: UPB-KEYS-NO-PASSPHRASE, UPB-KEYS-PASSPHRASE, UPB-CLI-FILE.
 */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Option, Session } from "../command.ts";
import { inFolder, readText } from "../settings.ts";
import type { KeyRecord } from "./keyFolder.ts";

export const PASSPHRASE_OPTION: Option = {
  flags: "--passphrase-file <file>",
  text: "file with the passphrase of the signing keys",
  completes: "file",
};
export const PassphraseInput = { passphraseFile: z.string().optional() };
interface Input {
  passphraseFile?: string | undefined;
}

/** For keys that exist; undefined when none of them is encrypted. */
export async function passphraseFor(
  session: Session,
  input: Input,
  keys: readonly KeyRecord[],
): Promise<string | undefined> {
  const locked = keys.filter((key) => key.encrypted);
  if (locked.length === 0) return undefined;
  return (
    given(session, input) ??
    ask(session, `Passphrase for ${locked.map((key) => key.name).join(", ")}: `)
  );
}

/** For keys that are about to be made: asked twice, because a slip would lock them for ever. */
export async function newPassphrase(session: Session, input: Input): Promise<string> {
  const known = given(session, input);
  if (known !== undefined) return known;
  const first = await ask(session, "New passphrase for the signing keys: ");
  const second = await ask(session, "The same again: ");
  if (first === "" || first !== second) {
    throw new UpbeatError("UPB-KEYS-PASSPHRASE", {
      object: "the new passphrase",
      detail: first === "" ? "it is empty" : "the two differ",
    });
  }
  return first;
}

function given({ world }: Session, { passphraseFile }: Input): string | undefined {
  if (passphraseFile !== undefined) {
    const first = readText(inFolder(world, passphraseFile)).split(/\r?\n/, 1)[0] ?? "";
    if (first === "") {
      throw new UpbeatError("UPB-KEYS-NO-PASSPHRASE", {
        object: passphraseFile,
        detail: "it is empty",
      });
    }
    return first;
  }
  return world.env.UPBEAT_PASSPHRASE || undefined;
}

async function ask(session: Session, question: string): Promise<string> {
  const { askSecret } = session.world;
  if (session.json || askSecret === undefined) {
    throw new UpbeatError("UPB-KEYS-NO-PASSPHRASE", { object: "the signing keys" });
  }
  return askSecret(question);
}
