/** “Why am I not getting it?”: one sentence, when it ends, who decides; then how it came to it. */
import { Button, Field, Input, makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { Explanation } from "../../../protocol/decisions.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { ExplanationView } from "../../kit/ExplanationView.tsx";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { ask } from "../device.ts";

const useStyles = makeStyles({
  form: { display: "flex", flexWrap: "wrap", gap: "12px", alignItems: "end", margin: "16px 0" },
  part: { display: "grid", gap: "12px" },
});

export interface WhySearch {
  readonly product: string;
  readonly version: string;
}

export function Why() {
  const styles = useStyles();
  const { t } = useMessages();
  const search = useSearch({ from: "/why" });
  const navigate = useNavigate();
  const [product, setProduct] = useState(search.product);
  const [version, setVersion] = useState(search.version);
  const query = new URLSearchParams({
    product: search.product,
    ...(search.version === "" ? {} : { version: search.version }),
  });
  const why = useQuery({
    queryKey: ["why", search],
    queryFn: () => ask<Explanation>(`/api/why?${query}`),
    enabled: search.product !== "",
  });
  return (
    <>
      <Title text={t("page.why")} />
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ to: "/why", search: { product, version } });
        }}
      >
        <Field label={t("why.product")} required>
          <Input value={product} onChange={(_, { value }) => setProduct(value)} />
        </Field>
        <Field label={t("why.version")}>
          <Input value={version} onChange={(_, { value }) => setVersion(value)} />
        </Field>
        <Button type="submit" appearance="primary" disabled={product === ""}>
          {t("why.ask")}
        </Button>
      </form>
      <div className={styles.part}>
        {why.isFetching && why.data === undefined ? <Loading /> : null}
        {why.error === null ? null : <ErrorCard error={reportOf(why.error)} />}
        {why.data === undefined ? null : <ExplanationView found={why.data} />}
      </div>
    </>
  );
}
