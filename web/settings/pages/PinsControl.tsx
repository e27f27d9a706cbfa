/** The highest version of each product that is pinned, one a row. */
import { Button, Field, Input, makeStyles } from "@fluentui/react-components";
import { useMessages } from "../../kit/language.ts";
import type { SettingControlProps } from "./SettingControl.tsx";
import { useDraft } from "./useDraft.ts";

const useStyles = makeStyles({
  all: { display: "grid", gap: "10px" },
  row: { display: "flex", flexWrap: "wrap", gap: "8px 12px", alignItems: "end" },
  narrow: { width: "150px" },
});

export function PinsControl({ name, value, disabled, choose }: SettingControlProps) {
  const styles = useStyles();
  const { t } = useMessages();
  // The schema of the setting; in rows, so that a product's name can be typed.
  const draft = useDraft(Object.entries(value as Record<string, string>));
  const pins = draft.value;
  const replace = (at: number, ...by: [string, string][]) =>
    draft.set(pins.toSpliced(at, 1, ...by));
  const isWhole = pins.every(([product, version]) => product !== "" && version !== "");
  return (
    <div className={styles.all}>
      {pins.map(([product, version], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the product is what is being typed
        <div key={at} className={styles.row}>
          <Field label={t("pins.product")} size="small">
            <Input
              className={styles.narrow}
              size="small"
              value={product}
              disabled={disabled}
              onChange={(_, typed) => replace(at, [typed.value, version])}
            />
          </Field>
          <Field label={t("pins.version")} size="small">
            <Input
              className={styles.narrow}
              size="small"
              value={version}
              disabled={disabled}
              onChange={(_, typed) => replace(at, [product, typed.value])}
            />
          </Field>
          <Button
            size="small"
            disabled={disabled}
            aria-label={t("pins.removeOf", { product })}
            onClick={() => replace(at)}
          >
            {t("windows.remove")}
          </Button>
        </div>
      ))}
      <span className={styles.row}>
        <Button size="small" disabled={disabled} onClick={() => draft.set([...pins, ["", ""]])}>
          {t("pins.add")}
        </Button>
        {draft.isChanged ? (
          <Button
            size="small"
            appearance="primary"
            aria-label={t("advanced.setOf", { name })}
            disabled={disabled || !isWhole}
            onClick={() => choose(Object.fromEntries(pins))}
          >
            {t("advanced.set")}
          </Button>
        ) : null}
      </span>
    </div>
  );
}
