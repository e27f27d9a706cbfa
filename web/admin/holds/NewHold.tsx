/** A new hold: what is wrong, with which updates, on which machines; ends in the command. */
import { Field, Input, Select, Textarea } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { useMessages } from "../../kit/language.ts";
import { CommandDialog } from "../parts/CommandDialog.tsx";
import { channelOption, command, momentText } from "../parts/commands.ts";
import { useConsole } from "../session.ts";

const EMPTY = { updates: "", text: "", who: "", until: "" };

export function NewHold({ channels }: { channels: readonly string[] }) {
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const [said, setSaid] = useState(EMPTY);
  const [channel, setChannel] = useState("stable");
  const field = (name: keyof typeof EMPTY) => ({
    value: said[name],
    onChange: (_: unknown, { value }: { value: string }) => setSaid({ ...said, [name]: value }),
  });
  const known = channels.includes("stable") ? channels : ["stable", ...channels];
  return (
    <div>
      <CommandDialog
        label={t("holds.add")}
        title={t("holds.add")}
        what={t("holds.addWhat")}
        icon={<AddRegular />}
        text={command(
          ["holds", "add", said.updates.trim() || "UPDATES"],
          [
            ["--text", said.text.trim() || "TEXT"],
            ["--who", said.who.trim()],
            ["--until", said.until === "" ? undefined : momentText(said.until)],
            channelOption(channel),
            ["--server", serverUrl],
          ],
        )}
      >
        <Field label={t("holds.updates")} hint={t("holds.updatesHint")} required>
          <Input {...field("updates")} />
        </Field>
        <Field label={t("holds.why")} hint={t("holds.whyHint")} required>
          <Textarea {...field("text")} />
        </Field>
        <Field label={t("holds.who")} hint={t("holds.whoHint")}>
          <Input {...field("who")} />
        </Field>
        <Field label={t("holds.until")} hint={t("holds.untilHint")}>
          <Input type="datetime-local" {...field("until")} />
        </Field>
        <Field label={t("rollouts.channel")}>
          <Select value={channel} onChange={(_, { value }) => setChannel(value)}>
            {known.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        </Field>
      </CommandDialog>
    </div>
  );
}
