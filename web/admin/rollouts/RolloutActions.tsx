/** What can be done with a rollout in the state in which it is. */
import { Field, Input, makeStyles, Textarea } from "@fluentui/react-components";
import { FlashRegular, PauseRegular, PlayRegular, RecordStopRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { RolloutDetail } from "../../../protocol/admin/rollouts.ts";
import { useMessages } from "../../kit/language.ts";
import { CommandDialog } from "../parts/CommandDialog.tsx";
import { channelOption, command } from "../parts/commands.ts";
import { useConsole } from "../session.ts";

const useStyles = makeStyles({ buttons: { display: "flex", flexWrap: "wrap", gap: "8px" } });

/** Which actions mean something in which state. */
const ACTIONS = {
  running: ["pause", "halt", "expedite"],
  paused: ["resume", "halt", "expedite"],
  halted: ["resume"],
} as const;
const ICONS = {
  pause: <PauseRegular />,
  resume: <PlayRegular />,
  halt: <RecordStopRegular />,
  expedite: <FlashRegular />,
};
type Action = keyof typeof ICONS;

export function RolloutActions({ found }: { found: RolloutDetail }) {
  const styles = useStyles();
  const actions: readonly Action[] = ACTIONS[found.rollout.state].filter(
    (action) => action !== "expedite" || found.rollout.expedite === undefined,
  );
  return (
    <div className={styles.buttons}>
      {actions.map((action) => (
        <ActionDialog key={action} action={action} found={found} />
      ))}
    </div>
  );
}

function ActionDialog({ action, found }: { action: Action; found: RolloutDetail }) {
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const [text, setText] = useState("");
  const [days, setDays] = useState("1");
  const { id } = found.rollout;
  const takesText = action === "pause" || action === "halt";
  const numbers = {
    id,
    installed: found.counts.installed,
    left: Math.max(0, found.devices - found.counts.installed),
  };
  return (
    <CommandDialog
      label={t(`action.${action}`)}
      title={t(`action.${action}Title`, numbers)}
      what={t(`action.${action}What`, numbers)}
      icon={ICONS[action]}
      text={command(
        ["rollouts", action, id],
        [
          ["--text", takesText ? text.trim() : undefined],
          ["--deadline-days", action === "expedite" && days !== "1" ? days : undefined],
          channelOption(found.channel),
          ["--server", serverUrl],
        ],
      )}
    >
      {takesText ? (
        <Field label={t("action.text")} hint={t("action.textHint")}>
          <Textarea value={text} onChange={(_, { value }) => setText(value)} />
        </Field>
      ) : null}
      {action === "expedite" ? (
        <Field label={t("action.days")}>
          <Input
            type="number"
            min="0"
            max="30"
            value={days}
            onChange={(_, { value }) => setDays(value)}
          />
        </Field>
      ) : null}
    </CommandDialog>
  );
}
