/** The maintenance windows, one a row: how often, on which days, from when, how long. */
import {
  Button,
  Checkbox,
  Field,
  Input,
  makeStyles,
  Select,
  tokens,
} from "@fluentui/react-components";
import type { MaintenanceWindow } from "../../../protocol/settings.ts";
import { useMessages } from "../../kit/language.ts";
import type { SettingControlProps } from "./SettingControl.tsx";
import { useDraft } from "./useDraft.ts";
import {
  type Choice,
  choiceOf,
  newWindow,
  REPEATS,
  WEEKDAYS,
  weekdayOf,
  withChoice,
} from "./windows.ts";

const MOST = 20;

const useStyles = makeStyles({
  all: { display: "grid", gap: "12px" },
  window: {
    display: "flex",
    flexWrap: "wrap",
    gap: "8px 12px",
    alignItems: "end",
    paddingBottom: "10px",
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  days: { display: "flex", flexWrap: "wrap", border: "none", margin: 0, padding: 0 },
  hours: { width: "90px" },
  buttons: { display: "flex", flexWrap: "wrap", gap: "8px" },
});

export function WindowsControl({ name, value, disabled, choose }: SettingControlProps) {
  const styles = useStyles();
  const { t } = useMessages();
  // The schema of the setting.
  const draft = useDraft(value as readonly MaintenanceWindow[]);
  const windows = draft.value;
  const replace = (at: number, ...by: MaintenanceWindow[]) =>
    draft.set(windows.toSpliced(at, 1, ...by));
  return (
    <div className={styles.all}>
      {windows.map((window, at) => (
        <WindowRow
          // biome-ignore lint/suspicious/noArrayIndexKey: windows have no names of their own
          key={at}
          title={t("windows.nth", { name, number: at + 1 })}
          window={window}
          disabled={disabled}
          change={(next) => replace(at, next)}
          remove={() => replace(at)}
        />
      ))}
      <span className={styles.buttons}>
        <Button
          size="small"
          disabled={disabled || windows.length >= MOST}
          onClick={() => draft.set([...windows, newWindow(Date.now())])}
        >
          {t("windows.add")}
        </Button>
        {draft.isChanged ? (
          <Button
            size="small"
            appearance="primary"
            aria-label={t("advanced.setOf", { name })}
            disabled={disabled}
            onClick={() => choose(windows)}
          >
            {t("advanced.set")}
          </Button>
        ) : null}
      </span>
    </div>
  );
}

function WindowRow(props: {
  title: string;
  window: MaintenanceWindow;
  disabled: boolean;
  change: (window: MaintenanceWindow) => void;
  remove: () => void;
}) {
  const { window, disabled, change } = props;
  const styles = useStyles();
  const { t, language } = useMessages();
  const choice = choiceOf(window);
  const choose = (next: Choice) => change(withChoice(window, next));
  // A Monday and the days after it, for their names.
  const dayName = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row everywhere
    <div role="group" aria-label={props.title} className={styles.window}>
      <Field label={t("windows.repeat")} size="small">
        <Select
          size="small"
          value={choice.repeat}
          disabled={disabled}
          onChange={(_, { value }) =>
            choose(
              value === "weekly"
                ? { repeat: "weekly", days: [weekdayOf(window.start)] }
                : { repeat: value === "once" ? "once" : "daily" },
            )
          }
        >
          {REPEATS.map((one) => (
            <option key={one} value={one}>
              {t(`windows.${one}`)}
            </option>
          ))}
          {choice.repeat === "other" ? <option value="other">{choice.rule}</option> : null}
        </Select>
      </Field>
      {choice.repeat === "weekly" ? (
        <fieldset className={styles.days} aria-label={t("windows.days")}>
          {WEEKDAYS.map((day, at) => (
            <Checkbox
              key={day}
              label={dayName.format(Date.UTC(2026, 0, 5 + at))}
              checked={choice.days.includes(day)}
              // A week without a day would be no window.
              disabled={disabled || (choice.days.length === 1 && choice.days.includes(day))}
              onChange={(_, { checked }) =>
                choose({
                  repeat: "weekly",
                  days: WEEKDAYS.filter((one) =>
                    one === day ? checked === true : choice.days.includes(one),
                  ),
                })
              }
            />
          ))}
        </fieldset>
      ) : null}
      <Field label={t("windows.start")} size="small">
        <Input
          type="datetime-local"
          size="small"
          value={window.start}
          disabled={disabled}
          onChange={(_, { value }) => value !== "" && change({ ...window, start: value })}
        />
      </Field>
      <Field label={t("windows.hours")} size="small">
        <Input
          className={styles.hours}
          type="number"
          size="small"
          min={0.25}
          max={168}
          step={0.25}
          value={String(window.durationMinutes / 60)}
          disabled={disabled}
          onChange={(_, { value }) =>
            Number(value) > 0 &&
            change({ ...window, durationMinutes: Math.round(Number(value) * 60) })
          }
        />
      </Field>
      <Button
        size="small"
        disabled={disabled}
        aria-label={t("windows.removeOf", { name: props.title })}
        onClick={props.remove}
      >
        {t("windows.remove")}
      </Button>
    </div>
  );
}
