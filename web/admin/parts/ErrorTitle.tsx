/** What an error is, in the language of the page, and its code to name to others. */
import { useErrorText } from "../../kit/errorTexts.ts";

export function ErrorTitle({
  error,
}: {
  error: { readonly code: string; readonly title: string };
}) {
  const { text, lang } = useErrorText({ code: error.code, text: error.title, remedy: "" });
  return (
    <>
      <span lang={lang}>{text}</span> <code>{error.code}</code>
    </>
  );
}
