/** The rings of a rollout that is being made: who, from when, and how fast. */
import { Button, Field, Input, makeStyles, Select, tokens } from "@fluentui/react-components";
import { AddRegular, DeleteRegular } from "@fluentui/react-icons";
import { useMessages } from "../../kit/language.ts";
import type { RingDraft } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";

const useStyles = makeStyles({
  rings: { margin: 0, padding: 0, listStyleType: "none", display: "grid", gap: "10px" },
  ring: {
    display: "flex",
    flexWrap: "wrap",
    gap: "12px",
    alignItems: "end",
    padding: "12px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow2,
  },
});

const CURVES = ["", "10,50@24h,100@3d", "5,25@1d,100@7d", "1,10@1d,50@3d,100@7d"] as const;

export const FIRST_RINGS: readonly RingDraft[] = [
  { name: "canary", who: "tag.canary", start: "", curve: "" },
  { name: "broad", who: "", start: "", curve: "10,50@24h,100@3d" },
];

export function RingEditor(props: {
  readonly rings: readonly RingDraft[];
  readonly change: (rings: readonly RingDraft[]) => void;
}) {
  const styles = useStyles();
  const layout = useLayout();
  const { t } = useMessages();
  const { rings, change } = props;
  const set = (at: number, more: Partial<RingDraft>) =>
    change(rings.map((ring, index) => (index === at ? { ...ring, ...more } : ring)));
  return (
    <section className={layout.part} aria-label={t("rollout.rings")}>
      <p className={layout.quiet}>{t("ring.what")}</p>
      <ol className={styles.rings}>
        {rings.map((ring, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rings have no other name while they are typed
          <li key={at} className={styles.ring} data-testid="ring">
            <Field label={t("ring.name")} required>
              <Input
                value={ring.name}
                onChange={(_, { value }) => set(at, { name: value.trim() })}
              />
            </Field>
            <Field label={t("ring.who")}>
              <Input
                value={ring.who}
                placeholder={t("rollout.everybody")}
                onChange={(_, { value }) => set(at, { who: value.replaceAll(/\s/g, "") })}
              />
            </Field>
            <Field label={t("ring.start")}>
              <Input
                type="datetime-local"
                value={ring.start}
                onChange={(_, { value }) => set(at, { start: value })}
              />
            </Field>
            <Field label={t("ring.curve")}>
              <Select value={ring.curve} onChange={(_, { value }) => set(at, { curve: value })}>
                {CURVES.map((curve) => (
                  <option key={curve} value={curve}>
                    {t(curve === "" ? "ring.atOnce" : `ring.curve${CURVES.indexOf(curve)}`)}
                  </option>
                ))}
              </Select>
            </Field>
            <Button
              icon={<DeleteRegular />}
              aria-label={t("ring.remove", { name: ring.name })}
              disabled={rings.length === 1}
              onClick={() => change(rings.filter((_, index) => index !== at))}
            />
          </li>
        ))}
      </ol>
      <div>
        <Button
          icon={<AddRegular />}
          onClick={() => change([...rings, { name: "", who: "", start: "", curve: "" }])}
        >
          {t("ring.add")}
        </Button>
      </div>
    </section>
  );
}
