/**
 * Where the browser starts. The machine is asked at once, before the router looks at the address,
 * which has the link's token in it; and its state stands there while the much larger rest of the
 * page is still being loaded.
 */
import { startLanguage } from "../kit/chosenLanguage.ts";
import "../kit/page.css";
import { paintFirst } from "./home/paintFirst.ts";
import de from "./messages/de.json" with { type: "json" };
import en from "./messages/en.json" with { type: "json" };
import { openPage } from "./session.ts";

startLanguage({ en, de });
const open = openPage();
void import("./start.tsx");
try {
  paintFirst(await open);
} catch {
  // `App.tsx` asks again and says why.
}
