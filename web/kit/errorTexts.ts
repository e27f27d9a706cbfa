/**
 * What the error catalogue says in the language of the page: text, usual causes, remedy. Files beside
 * the script, which is small without them.
 * `errors.en.json` is written from the catalogue by `node cli/docs.ts`; a test compares the others.
 */
import { useQuery } from "@tanstack/react-query";
import type { ErrorReport } from "../../protocol/errors/error.ts";
import type { Language } from "./chosenLanguage.ts";
import { useMessages } from "./language.ts";
import de from "./messages/errors.de.json?url";
import en from "./messages/errors.en.json?url";

interface ErrorText {
  readonly text: string;
  readonly causes: readonly string[];
  readonly remedy: string;
}

const FILES: Readonly<Record<Language, string>> = { en, de };

/** A page asks before there is an error: when there is one, nobody may be there to answer. */
export function useErrorTexts() {
  const { language } = useMessages();
  const texts = useQuery({
    queryKey: ["error-texts", language],
    queryFn: async (): Promise<Record<string, ErrorText>> => {
      const response = await fetch(FILES[language as Language]);
      if (!response.ok) throw new Error(`status ${response.status}`);
      return (await response.json()) as Record<string, ErrorText>;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return texts.data;
}

/** In English as it was reported, until the other language is there. `lang` is what it is in. */
export function useErrorText(
  error: Pick<ErrorReport, "code" | "text" | "remedy">,
): ErrorText & { readonly lang: string } {
  const { language } = useMessages();
  const known = useErrorTexts()?.[error.code];
  const { text, remedy } = language === "en" || known === undefined ? error : known;
  const lang = known === undefined ? "en" : language;
  return { text, remedy, causes: known?.causes ?? [], lang };
}
