/** What was asked of the server: on its way, failed with what to do, or here. */
import { Button } from "@fluentui/react-components";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";

/** What was here before stays when asking again fails: the error stands above it. */
export function Asked<Answer>(props: {
  readonly query: UseQueryResult<Answer>;
  readonly children: (answer: Answer) => ReactNode;
}) {
  const { t } = useMessages();
  const { query, children } = props;
  return (
    <>
      {query.error === null ? null : (
        <ErrorCard error={reportOf(query.error)}>
          <Button size="small" onClick={() => void query.refetch()}>
            {t("again")}
          </Button>
        </ErrorCard>
      )}
      {query.isPending ? <Loading /> : null}
      {query.data === undefined ? null : children(query.data)}
    </>
  );
}
