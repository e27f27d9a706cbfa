/** How parts of a page stand below each other, the same on every page. */
import { makeStyles, tokens } from "@fluentui/react-components";

export const useLayout = makeStyles({
  page: {
    display: "grid",
    gridTemplateColumns: "minmax(0, 1fr)",
    gap: "16px",
    marginTop: "16px",
    minWidth: 0,
    // A list of long choices is otherwise as wide as the longest, wider than a phone.
    "& .fui-Field": { gridTemplateColumns: "minmax(0, 1fr)", minWidth: 0, maxWidth: "100%" },
    "& select": { minWidth: 0, maxWidth: "100%", textOverflow: "ellipsis" },
  },
  part: { display: "grid", gridTemplateColumns: "minmax(0, 1fr)", gap: "10px", minWidth: 0 },
  row: { display: "flex", flexWrap: "wrap", gap: "10px 16px", alignItems: "center" },
  badges: { display: "flex", flexWrap: "wrap", gap: "4px" },
  /** Fields and buttons whose labels stand above them. */
  fields: { display: "flex", flexWrap: "wrap", gap: "12px", alignItems: "end" },
  /** Fields of which some have a hint below. */
  form: { display: "flex", flexWrap: "wrap", gap: "12px", alignItems: "start" },
  columns: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fit, minmax(min(100%, 380px), 1fr))",
    gap: "16px",
    alignItems: "start",
  },
  heading: {
    margin: "8px 0 0",
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
  },
  quiet: { color: tokens.colorNeutralForeground2, margin: 0 },
  link: { color: tokens.colorBrandForegroundLink },
  code: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere" },
  text: { whiteSpace: "pre-wrap", overflowWrap: "anywhere", margin: 0 },
});
