/** A new rollout: which update, in which rings; ends in the command. */
import { Field, Select, Switch } from "@fluentui/react-components";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { CatalogueEntry } from "../../../protocol/admin/catalogue.ts";
import { Empty } from "../../kit/Empty.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { channelOption, command, type RingDraft, ringText } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { SignedStep } from "../parts/SignedStep.tsx";
import { useServer } from "../server.ts";
import { useConsole } from "../session.ts";
import { FIRST_RINGS, RingEditor } from "./RingEditor.tsx";

export function NewRollout() {
  const layout = useLayout();
  const { t } = useMessages();
  const catalogue = useServer<{ updates: CatalogueEntry[] }>("catalogue", ["updates"]);
  return (
    <>
      <Title text={t("rollouts.create")} />
      <div className={layout.page}>
        <Asked query={catalogue}>
          {({ updates }) =>
            updates.some(({ retired }) => !retired) ? (
              <Form updates={updates.filter(({ retired }) => !retired)} />
            ) : (
              <Empty title={t("updates.none")}>
                <Link to="/publish" className={layout.link}>
                  {t("updates.publish")}
                </Link>
              </Empty>
            )
          }
        </Asked>
      </div>
    </>
  );
}

const nameOf = ({ channel, product, version }: CatalogueEntry): string =>
  `${channel} ${product}@${version}`;

function Form({ updates }: { updates: readonly CatalogueEntry[] }) {
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const asked = useSearch({ from: "/rollouts/new" });
  const [name, setName] = useState(`${asked.channel ?? "stable"} ${asked.update ?? ""}`);
  const [rings, setRings] = useState<readonly RingDraft[]>(FIRST_RINGS);
  const [optional, setOptional] = useState(false);
  const update = updates.find((one) => nameOf(one) === name) ?? updates[0];
  if (update === undefined) return null;
  const options = rings.map((ring) => ["--ring", ringText(ring)] as const);
  const text = command(
    ["rollouts", "create", `${update.product}@${update.version}`],
    [...options, channelOption(update.channel), ["--server", serverUrl]],
  );
  return (
    <>
      <div className={layout.fields}>
        <Field label={t("rollouts.update")} required>
          <Select value={nameOf(update)} onChange={(_, { value }) => setName(value)}>
            {updates.map((one) => (
              <option key={one.manifestSha256} value={nameOf(one)}>
                {one.title} · {one.product} {one.version} ({one.channel})
              </option>
            ))}
          </Select>
        </Field>
        <Switch
          label={t("rollouts.optional")}
          checked={optional}
          onChange={(_, { checked }) => setOptional(checked)}
        />
      </div>
      <RingEditor rings={rings} change={setRings} />
      <h2 className={layout.heading}>{t("rollouts.then")}</h2>
      <SignedStep text={optional ? `${text} --optional` : text} label={t("rollouts.create")} />
      <p className={layout.quiet}>{t("rollouts.required")}</p>
    </>
  );
}
