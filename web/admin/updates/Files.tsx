/** The files of an update by path, page by page: there may be a hundred thousand. */
import { Button } from "@fluentui/react-components";
import { useState } from "react";
import type { FilePage } from "../../../protocol/admin/catalogue.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { bytes } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { queryText, useServer } from "../server.ts";

const PAGE = 100;

export function Files({ path }: { path: string }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  /** Where each page so far began; the last is the one that is open. */
  const [starts, setStarts] = useState<readonly (string | undefined)[]>([undefined]);
  const files = useServer<FilePage>(
    `catalogue/${path}/files${queryText({ after: starts.at(-1), limit: PAGE })}`,
    ["updates"],
    { keep: true },
  );
  return (
    <Asked query={files}>
      {({ entries, total, next }) =>
        total === 0 ? (
          <Empty title={t("updates.noFiles")} />
        ) : (
          <>
            <p className={layout.quiet}>{t("updates.fileCount", { count: total })}</p>
            <DataTable
              label={t("updateTab.files")}
              columns={[
                {
                  id: "path",
                  label: t("updates.path"),
                  names: true,
                  show: (it) => <code className={layout.code}>{it.path}</code>,
                },
                { id: "type", label: t("updates.type"), show: (it) => t(`fileType.${it.type}`) },
                {
                  id: "size",
                  label: t("updates.size"),
                  kind: "number",
                  show: (it) => ("sizeBytes" in it ? bytes(it.sizeBytes, language) : "–"),
                },
                {
                  id: "sha256",
                  label: "SHA-256",
                  optional: true,
                  show: (it) =>
                    "sha256" in it ? <code className={layout.code}>{it.sha256}</code> : "–",
                },
              ]}
              rows={entries}
              keyOf={(it) => it.path}
            />
            <div className={layout.row}>
              <Button disabled={starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
                {t("pages.before")}
              </Button>
              <Button
                disabled={next === undefined || files.isPlaceholderData}
                onClick={() => setStarts([...starts, next])}
              >
                {t("pages.next")}
              </Button>
            </div>
          </>
        )
      }
    </Asked>
  );
}
