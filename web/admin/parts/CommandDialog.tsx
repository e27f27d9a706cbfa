/** A button that opens what a signed change does, what one may add, and the command to run. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  DialogTrigger,
  makeStyles,
} from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useMessages } from "../../kit/language.ts";
import { SignedStep } from "./SignedStep.tsx";

const useStyles = makeStyles({ content: { display: "grid", gap: "14px" } });

export function CommandDialog(props: {
  readonly label: string;
  readonly title: string;
  /** What happens then, in plain words. */
  readonly what: string;
  readonly text: string;
  readonly icon?: React.JSX.Element;
  readonly primary?: boolean;
  /** Says more to those who hear it, where several buttons have the same label. */
  readonly of?: string;
  /** Fields that change the command. */
  readonly children?: ReactNode;
}) {
  const styles = useStyles();
  const { t } = useMessages();
  return (
    <Dialog>
      <DialogTrigger disableButtonEnhancement>
        <Button
          appearance={props.primary ? "primary" : "secondary"}
          {...(props.icon === undefined ? {} : { icon: props.icon })}
          {...(props.of === undefined ? {} : { "aria-label": `${props.label}: ${props.of}` })}
        >
          {props.label}
        </Button>
      </DialogTrigger>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{props.title}</DialogTitle>
          <DialogContent className={styles.content}>
            <div>{props.what}</div>
            {props.children}
            <SignedStep text={props.text} label={props.title} />
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>{t("close")}</Button>
            </DialogTrigger>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
