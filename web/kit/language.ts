/** Messages by their key, and the language for `format.ts`. */
import i18next from "i18next";
import { useTranslation } from "react-i18next";

export function useMessages() {
  const { t, i18n } = useTranslation(undefined, { i18n: i18next });
  return { t, language: i18n.language };
}
