/** The control of one setting. It shows what is in force and asks for what is chosen. */
import { Button, Input, makeStyles, Select, Switch } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useMessages } from "../../kit/language.ts";
import { PinsControl } from "./PinsControl.tsx";
import type { Control } from "./settingControls.ts";
import { WindowsControl } from "./WindowsControl.tsx";

const useStyles = makeStyles({
  row: { display: "flex", gap: "8px", alignItems: "center", flexWrap: "wrap" },
  narrow: { width: "130px" },
});

export interface SettingControlProps {
  readonly name: string;
  readonly control: Control;
  readonly value: unknown;
  readonly disabled: boolean;
  readonly choose: (value: unknown) => void;
}

export function SettingControl(props: SettingControlProps) {
  const { name, control, value, disabled, choose } = props;
  const { t } = useMessages();
  switch (control.kind) {
    case "switch":
      return (
        <Switch
          aria-label={name}
          checked={value === true}
          disabled={disabled}
          onChange={(_, { checked }) => choose(checked)}
        />
      );
    case "choice":
      return (
        <Select
          aria-label={name}
          value={String(value)}
          disabled={disabled}
          onChange={(_, { value: chosen }) => choose(chosen)}
        >
          {control.choices.map((choice) => (
            <option key={choice} value={choice}>
              {t(`choice.${choice}`)}
            </option>
          ))}
        </Select>
      );
    case "zone":
      return (
        <Select
          aria-label={name}
          value={typeof value === "string" ? value : ""}
          disabled={disabled}
          onChange={(_, { value: chosen }) => choose(chosen === "" ? null : chosen)}
        >
          <option value="">{t("advanced.none")}</option>
          {Intl.supportedValuesOf("timeZone").map((zone) => (
            <option key={zone} value={zone}>
              {zone}
            </option>
          ))}
        </Select>
      );
    case "windows":
      return <WindowsControl {...props} />;
    case "pins":
      return <PinsControl {...props} />;
    case "hours":
      return <Hours {...props} />;
    case "number":
      return <Typed {...props} min={control.min} max={control.max} />;
    case "speed":
      return <Typed {...props} min={1} scale={1_000} />;
  }
}

interface TypedProps extends SettingControlProps {
  readonly min?: number;
  readonly max?: number;
  /** The setting's number is the shown one times this. */
  readonly scale?: number;
}

/** Typed and then set: half a number is no wish. Empty means none, where there may be none. */
function Typed(props: TypedProps) {
  const { name, value, disabled, choose, min, max, scale = 1 } = props;
  const styles = useStyles();
  const { t } = useMessages();
  const shown =
    value === null
      ? ""
      : typeof value === "number"
        ? String(Math.round(value / scale))
        : String(value);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const wanted = text === "" ? null : Number(text) * scale;
  return (
    <span className={styles.row}>
      <Input
        className={styles.narrow}
        aria-label={name}
        type="number"
        value={text}
        disabled={disabled}
        placeholder={t("advanced.none")}
        {...(min === undefined ? {} : { min })}
        {...(max === undefined ? {} : { max })}
        onChange={(_, { value: typed }) => setText(typed)}
      />
      {text === shown ? null : (
        <Button
          size="small"
          aria-label={t("advanced.setOf", { name })}
          onClick={() => choose(wanted)}
        >
          {t("advanced.set")}
        </Button>
      )}
    </span>
  );
}

function Hours({ name, value, disabled, choose }: SettingControlProps) {
  const styles = useStyles();
  const { t } = useMessages();
  // The schema of the setting: `ActiveHours`.
  const shown = value as { start: string; end: string };
  const [hours, setHours] = useState(shown);
  useEffect(() => setHours({ start: shown.start, end: shown.end }), [shown.start, shown.end]);
  const isSame = hours.start === shown.start && hours.end === shown.end;
  return (
    <span className={styles.row}>
      {(["start", "end"] as const).map((end) => (
        <Input
          key={end}
          className={styles.narrow}
          type="time"
          aria-label={`${name}: ${t(`advanced.${end}`)}`}
          value={hours[end]}
          disabled={disabled}
          onChange={(_, { value: time }) => setHours({ ...hours, [end]: time })}
        />
      ))}
      {isSame ? null : (
        <Button
          size="small"
          aria-label={t("advanced.setOf", { name })}
          onClick={() => choose(hours)}
        >
          {t("advanced.set")}
        </Button>
      )}
    </span>
  );
}
