/**
 * The language of the page: the one that the person chose, else the first of the browser's that
 * there are messages for. Error texts come from the catalogue as they are.
 */
import i18next, { type Resource } from "i18next";

import de from "./messages/de.json" with { type: "json" };
import en from "./messages/en.json" with { type: "json" };

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const REMEMBERED = "upbeat-language";

/** `own`: the messages of one application, below the name `app`. */
export function startLanguage(own: Readonly<Record<Language, object>>): void {
  const resources: Resource = { en: { kit: en, app: own.en }, de: { kit: de, app: own.de } };
  void i18next.init({
    lng: rememberedLanguage() ?? browserLanguage(),
    fallbackLng: "en",
    resources,
    ns: ["app", "kit"],
    defaultNS: "app",
    fallbackNS: "kit",
    // React escapes what it shows, and so does `textContent`.
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  document.documentElement.lang = i18next.language;
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(REMEMBERED, language);
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}

function rememberedLanguage(): Language | undefined {
  const found = localStorage.getItem(REMEMBERED);
  return LANGUAGES.find((language) => language === found);
}

function browserLanguage(): Language {
  const wanted = navigator.languages.map((language) => language.slice(0, 2));
  return LANGUAGES.find((language) => language === wanted.find(isThere)) ?? "en";
}

const isThere = (name: string): boolean => LANGUAGES.some((language) => language === name);
