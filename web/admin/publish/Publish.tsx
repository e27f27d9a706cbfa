/** Publishing, step by step: what it is, how it proves itself, who gets it first; ends in commands. */
import { Field, Input, Select, Switch, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import type { ProductLine } from "../../../protocol/admin/catalogue.ts";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import type { RingDraft } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { SignedStep } from "../parts/SignedStep.tsx";
import { FIRST_RINGS, RingEditor } from "../rollouts/RingEditor.tsx";
import { useServer } from "../server.ts";
import { useConsole } from "../session.ts";
import { Products } from "./Products.tsx";
import { EMPTY_DRAFT, missingIn, type PublishDraft, publishCommands } from "./publishCommands.ts";

const CLASSES = ["update", "critical", "security", "feature", "driver", "definition", "tool"];
const SEVERITIES = ["unspecified", "critical", "important", "moderate", "low"];
const RESTARTS = ["never", "canRequest", "always"];

export function Publish() {
  const layout = useLayout();
  const { t } = useMessages();
  const products = useServer<{ products: ProductLine[] }>("products", ["updates", "devices"]);
  return (
    <>
      <Title text={t("page.publish")} />
      <div className={layout.page}>
        <p className={layout.quiet}>{t("publish.what")}</p>
        <Asked query={products}>
          {({ products: known }) => (
            <>
              <Products products={known} />
              <Guide products={known} />
            </>
          )}
        </Asked>
      </div>
    </>
  );
}

function Guide({ products }: { products: readonly ProductLine[] }) {
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const [draft, setDraft] = useState<PublishDraft>(EMPTY_DRAFT);
  const [staged, setStaged] = useState(false);
  const [rings, setRings] = useState<readonly RingDraft[]>(FIRST_RINGS);
  const text = (name: Exclude<keyof PublishDraft, "classification" | "severity" | "restart">) => ({
    value: draft[name],
    onChange: (_: unknown, { value }: { value: string }) => setDraft({ ...draft, [name]: value }),
  });
  const choice = (name: "classification" | "severity" | "restart", values: readonly string[]) => (
    <Field label={t(`publish.${name}`)}>
      <Select
        value={draft[name]}
        onChange={(_, { value }) => setDraft({ ...draft, [name]: value })}
      >
        {values.map((value) => (
          <option key={value} value={value}>
            {t(`${name}.${value}`)}
          </option>
        ))}
      </Select>
    </Field>
  );
  const latest = products.find(
    (it) =>
      it.product === draft.product.trim() && it.channel === (draft.channel.trim() || "stable"),
  )?.latest;
  const missing = missingIn(draft);
  return (
    <>
      <h2 className={layout.heading}>{t("publish.step1")}</h2>
      <div className={layout.form}>
        <Field label={t("publish.folder")} hint={t("publish.folderHint")} required>
          <Input {...text("folder")} />
        </Field>
        <Field label={t("publish.product")} hint={t("publish.productHint")} required>
          <Input list="products" {...text("product")} />
        </Field>
        <Field
          label={t("publish.version")}
          hint={latest === undefined ? t("publish.versionHint") : t("publish.latest", { latest })}
          required
        >
          <Input {...text("version")} />
        </Field>
        <Field label={t("rollouts.channel")} hint={t("publish.channelHint")}>
          <Input placeholder="stable" list="channels" {...text("channel")} />
        </Field>
      </div>
      <datalist id="products">
        {[...new Set(products.map(({ product }) => product))].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <datalist id="channels">
        {[...new Set(["stable", "beta", ...products.map(({ channel }) => channel)])].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <h2 className={layout.heading}>{t("publish.step2")}</h2>
      <div className={layout.form}>
        <Field label={t("publish.title")}>
          <Input {...text("title")} />
        </Field>
        {choice("classification", CLASSES)}
        {choice("severity", SEVERITIES)}
        {choice("restart", RESTARTS)}
        <Field label={t("publish.notes")} hint={t("publish.notesHint")}>
          <Input {...text("notesFile")} />
        </Field>
      </div>
      <Field label={t("publish.description")}>
        <Textarea {...text("description")} />
      </Field>
      <h2 className={layout.heading}>{t("publish.step3")}</h2>
      <div className={layout.form}>
        <Field label={t("publish.healthCommand")} hint={t("publish.healthCommandHint")}>
          <Input {...text("healthCommand")} />
        </Field>
        <Field label={t("publish.healthUrl")} hint={t("publish.healthUrlHint")}>
          <Input {...text("healthUrl")} />
        </Field>
        <Field label={t("publish.service")} hint={t("publish.serviceHint")}>
          <Input {...text("serviceRestart")} />
        </Field>
      </div>
      <h2 className={layout.heading}>{t("publish.step4")}</h2>
      <Switch
        label={t("publish.staged")}
        checked={staged}
        onChange={(_, { checked }) => setStaged(checked)}
      />
      {staged ? <RingEditor rings={rings} change={setRings} /> : null}
      <h2 className={layout.heading}>{t("publish.step5")}</h2>
      {missing.length === 0 ? null : (
        <p className={layout.quiet} data-testid="missing">
          {t("publish.missing", {
            what: missing.map((name) => t(`publish.${name}`)).join(", "),
          })}
        </p>
      )}
      {publishCommands(draft, staged ? rings : [], serverUrl).map((line, at, lines) => (
        <SignedStep
          key={line}
          text={line}
          label={lines.length === 1 ? t("publish.command") : t("publish.commandOf", { at: at + 1 })}
        />
      ))}
      <p className={layout.quiet}>{t("publish.then")}</p>
    </>
  );
}
