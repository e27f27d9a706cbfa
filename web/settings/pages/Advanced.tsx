/** Every setting, what is in force, who set it; greyed where somebody above the person did. */
import {
  Badge,
  Button,
  Card,
  MessageBar,
  MessageBarBody,
  makeStyles,
  Switch,
  tokens,
} from "@fluentui/react-components";
import { LockClosedRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { EffectiveSetting, SettingKey } from "../../../protocol/settings.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { isManaged, useDevice, usePolicy, useSettingsChange } from "../device.ts";
import { SettingControl } from "./SettingControl.tsx";
import { ADMINISTRATORS, type Control, GROUPS } from "./settingControls.ts";

const useStyles = makeStyles({
  part: { display: "grid", gap: "6px", marginTop: "16px" },
  heading: {
    margin: "18px 0 4px",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  row: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "8px 16px" },
  words: { flex: "1 1 300px", minWidth: 0 },
  more: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  owner: { display: "flex", flexWrap: "wrap", gap: "8px", alignItems: "center" },
  // Its words in one line, whatever stands beside it.
  by: { flexShrink: 0, whiteSpace: "nowrap" },
  value: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere" },
});

export function Advanced() {
  const styles = useStyles();
  const { t } = useMessages();
  const { session } = useDevice();
  const policy = usePolicy();
  const change = useSettingsChange();
  const [forAll, setForAll] = useState(false);
  const shown = new Set<string>([
    ...GROUPS.flatMap(([, controls]) => Object.keys(controls)),
    ...Object.keys(ADMINISTRATORS),
    "pause", // on the first page
  ]);
  const rows = (controls: Partial<Record<SettingKey, Control>>) =>
    Object.entries(controls).flatMap(([key, control]) => {
      const setting = policy.data?.settings.find((one) => one.key === key);
      return setting === undefined ? [] : [{ setting, control }];
    });
  const others = policy.data?.settings.filter(({ key }) => !shown.has(key)) ?? [];
  const row = (setting: EffectiveSetting, control: Control | undefined) => (
    <Setting
      key={setting.key}
      setting={setting}
      control={control}
      change={change}
      forAll={forAll}
    />
  );
  return (
    <>
      <Title text={t("page.advanced")} />
      <div className={styles.part}>
        {session.may.administer ? (
          <Switch
            label={t("advanced.forAll")}
            checked={forAll}
            onChange={(_, { checked }) => setForAll(checked)}
          />
        ) : null}
        {policy.isPending ? <Loading /> : null}
        {policy.error === null ? null : <ErrorCard error={reportOf(policy.error)} />}
        {change.error === null ? null : <ErrorCard error={reportOf(change.error)} />}
        {policy.data?.contradictions.map(({ sentence }) => (
          <MessageBar key={sentence} intent="warning" layout="multiline">
            <MessageBarBody lang="en">{sentence}</MessageBarBody>
          </MessageBar>
        ))}
        {policy.data === undefined
          ? null
          : GROUPS.map(([name, controls]) => (
              <section key={name} className={styles.part} aria-label={t(`advanced.${name}`)}>
                <h2 className={styles.heading}>{t(`advanced.${name}`)}</h2>
                {rows(controls).map(({ setting, control }) => row(setting, control))}
              </section>
            ))}
        {policy.data === undefined ? null : (
          <section className={styles.part} aria-label={t("advanced.policy")}>
            <h2 className={styles.heading}>{t("advanced.policy")}</h2>
            {rows(ADMINISTRATORS).map(({ setting, control }) =>
              row(setting, forAll ? control : undefined),
            )}
            {others.map((setting) => row(setting, undefined))}
          </section>
        )}
      </div>
    </>
  );
}

function Setting(props: {
  setting: EffectiveSetting;
  /** Absent: shown and not changed here. */
  control: Control | undefined;
  change: ReturnType<typeof useSettingsChange>;
  /** As the policy of this machine, not as a person's wish. */
  forAll: boolean;
}) {
  const { setting, control, change, forAll } = props;
  const styles = useStyles();
  const { t } = useMessages();
  const { session } = useDevice();
  const { key, setBy } = setting;
  const managed = setBy === "server" || (setBy === "admin" && !forAll);
  const name = t(`setting.${key}`);
  const layer = forAll ? "admin" : "user";
  const choose = (value: unknown) => change.mutate({ set: { [key]: value }, policy: forAll });
  return (
    <Card data-testid="setting" data-key={key} data-set-by={setBy}>
      <div className={styles.row}>
        <div className={styles.words}>
          {name}
          <div className={styles.more}>{t(`settingText.${key}`)}</div>
          {setting.overruled.map((one) => (
            <div key={`${one.layer} ${one.entry ?? ""}`} className={styles.more}>
              {t(`setBy.${one.layer}`)}: <code>{JSON.stringify(one.value)}</code>{" "}
              <span lang="en">{one.because}</span>
            </div>
          ))}
        </div>
        <div className={styles.owner}>
          {setBy === "default" ? null : (
            <Badge
              className={styles.by}
              appearance="tint"
              color={isManaged(setBy) ? "warning" : "brand"}
              {...(isManaged(setBy) ? { icon: <LockClosedRegular /> } : {})}
            >
              {t(`setBy.${setBy}`)}
              {setting.entry === undefined ? "" : `: ${setting.entry}`}
            </Badge>
          )}
          {setBy === layer && control !== undefined && session.may.change ? (
            <Button
              size="small"
              appearance="subtle"
              aria-label={t("advanced.resetOf", { name })}
              onClick={() => change.mutate({ unset: [key], policy: forAll })}
            >
              {t("advanced.reset")}
            </Button>
          ) : null}
          {control === undefined ? (
            <span className={styles.value}>
              {shownValue(setting.value, t)}
              {setting.unit === undefined || setting.value === null
                ? ""
                : ` ${t(`unit.${setting.unit}`)}`}
            </span>
          ) : (
            <>
              <SettingControl
                name={name}
                control={control}
                value={setting.value}
                disabled={managed || change.isPending || !session.may.change}
                choose={choose}
              />
              {setting.unit === undefined ? null : (
                <span className={styles.more}>
                  {t(`unit.${control.kind === "speed" ? "kilobytes per second" : setting.unit}`)}
                </span>
              )}
            </>
          )}
        </div>
      </div>
    </Card>
  );
}

/** Lists and tables as they stand in the file; what is empty has no value here. */
function shownValue(value: unknown, t: (key: string) => string): string {
  if (typeof value === "boolean") return t(value ? "advanced.yes" : "advanced.no");
  if (typeof value === "string" || typeof value === "number") return String(value);
  const text = JSON.stringify(value);
  return ["null", "[]", "{}"].includes(text) ? t("advanced.none") : text;
}
