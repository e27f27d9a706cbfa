/** What a line or part of a chart means decides how it looks, the same everywhere. */
import { tokens } from "@fluentui/react-components";

export const LOOKS = {
  good: { colour: tokens.colorPaletteGreenBackground3, dash: "none" },
  busy: { colour: tokens.colorBrandBackground, dash: "8 3" },
  behind: { colour: tokens.colorPaletteMarigoldBackground3, dash: "3 3" },
  bad: { colour: tokens.colorPaletteRedBackground3, dash: "12 3 3 3" },
  undone: { colour: tokens.colorPaletteDarkOrangeForeground1, dash: "2 5" },
  quiet: { colour: tokens.colorNeutralForeground4, dash: "1 3" },
  plan: { colour: tokens.colorNeutralForeground2, dash: "6 6" },
} as const;
