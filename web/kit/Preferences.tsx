/** How the page looks and in which language: kept in this browser, for this page. */
import { Field, Select } from "@fluentui/react-components";
import { APPEARANCES, type Appearance } from "./appearance.ts";
import { chooseLanguage, LANGUAGES, type Language } from "./chosenLanguage.ts";
import { useMessages } from "./language.ts";

export function Preferences(props: {
  readonly appearance: Appearance;
  readonly choose: (appearance: Appearance) => void;
}) {
  const { t, language } = useMessages();
  return (
    <>
      <Field label={t("appearance.label")} size="small">
        <Select
          size="small"
          value={props.appearance}
          onChange={(_, { value }) => props.choose(value as Appearance)}
        >
          {APPEARANCES.map((one) => (
            <option key={one} value={one}>
              {t(`appearance.${one}`)}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t("language.label")} size="small">
        <Select
          size="small"
          value={language}
          onChange={(_, { value }) => chooseLanguage(value as Language)}
        >
          {LANGUAGES.map((one) => (
            <option key={one} value={one}>
              {t(`language.${one}`)}
            </option>
          ))}
        </Select>
      </Field>
    </>
  );
}
