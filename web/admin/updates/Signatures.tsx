/** Who vouches for an update, from root to its channel, and the very text that was signed. */
import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
} from "@fluentui/react-components";
import type { CatalogueDetail } from "../../../protocol/admin/catalogue.ts";
import { useMessages } from "../../kit/language.ts";
import { RoleTable } from "../keys/RoleTable.tsx";
import { useLayout } from "../parts/layout.ts";

export function Signatures({ found }: { found: CatalogueDetail }) {
  const layout = useLayout();
  const { t } = useMessages();
  return (
    <>
      <p className={layout.quiet}>{t("updates.signedWhat")}</p>
      <RoleTable label={t("updateTab.signatures")} roles={found.signedBy} />
      <Accordion collapsible>
        <AccordionItem value="manifest">
          <AccordionHeader as="h2">{t("updates.manifest")}</AccordionHeader>
          <AccordionPanel>
            <pre className={layout.text} data-testid="manifest">
              {indented(found.manifestText)}
            </pre>
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
    </>
  );
}

/** The signed bytes have no spaces; people need them. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
