/** The heading of a page, and the title of the browser's tab. */
import { makeStyles, tokens } from "@fluentui/react-components";
import { useEffect } from "react";

const useStyles = makeStyles({
  title: {
    margin: 0,
    fontSize: tokens.fontSizeHero700,
    lineHeight: tokens.lineHeightHero700,
    fontWeight: tokens.fontWeightSemibold,
  },
});

export function Title({ text }: { text: string }) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${text} – Upbeat`;
  }, [text]);
  return <h1 className={styles.title}>{text}</h1>;
}
