/** Asks for the administration token. The page that was asked for opens as soon as it is right. */
import { Button, Card, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { type ReactNode, useState } from "react";
import { reportOf } from "../kit/api.ts";
import { ErrorCard } from "../kit/ErrorCard.tsx";
import { useMessages } from "../kit/language.ts";
import { Title } from "../kit/Title.tsx";
import { useSignIn } from "./session.ts";

const useStyles = makeStyles({
  page: {
    minHeight: "100vh",
    boxSizing: "border-box",
    display: "grid",
    placeItems: "center",
    padding: "24px 14px",
    backgroundColor: tokens.colorNeutralBackground3,
  },
  card: { width: "100%", maxWidth: "460px", padding: "28px", boxSizing: "border-box" },
  form: { display: "grid", gap: "16px" },
  more: { color: tokens.colorNeutralForeground2, margin: 0 },
  foot: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "12px" },
});

export function SignIn(props: { readonly foot: ReactNode }) {
  const styles = useStyles();
  const { t } = useMessages();
  const [token, setToken] = useState("");
  const signIn = useSignIn();
  const isWrong =
    signIn.error !== null && reportOf(signIn.error).code === "UPB-SERVER-UNAUTHORISED";
  return (
    <main className={styles.page}>
      <Card className={styles.card}>
        <Title text={t("signIn.title")} />
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate({ token: token.trim() });
          }}
        >
          <p className={styles.more}>{t("signIn.why", { host: location.host })}</p>
          <Field
            label={t("signIn.token")}
            required
            {...(isWrong ? { validationState: "error", validationMessage: t("signIn.wrong") } : {})}
          >
            <Input
              type="password"
              autoComplete="current-password"
              value={token}
              onChange={(_, { value }) => setToken(value)}
            />
          </Field>
          {signIn.error === null || isWrong ? null : <ErrorCard error={reportOf(signIn.error)} />}
          <Button
            type="submit"
            appearance="primary"
            disabled={token.trim() === "" || signIn.isPending}
          >
            {t("signIn.do")}
          </Button>
          <p className={styles.more}>{t("signIn.where")}</p>
        </form>
        <div className={styles.foot}>{props.foot}</div>
      </Card>
    </main>
  );
}
