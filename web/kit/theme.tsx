/** Light, dark and high contrast, as the system says or as the person chose. */
import {
  createDOMRenderer,
  FluentProvider,
  RendererProvider,
  teamsHighContrastTheme,
  webDarkTheme,
  webLightTheme,
} from "@fluentui/react-components";
import { type ReactNode, useState, useSyncExternalStore } from "react";
import { type Appearance, chosenAppearance, rememberAppearance } from "./appearance.ts";

const THEMES = { light: webLightTheme, dark: webDarkTheme, contrast: teamsHighContrastTheme };

export function useAppearance(): [Appearance, (chosen: Appearance) => void] {
  const [appearance, setAppearance] = useState<Appearance>(chosenAppearance);
  const choose = (chosen: Appearance): void => {
    rememberAppearance(chosen);
    setAppearance(chosen);
  };
  return [appearance, choose];
}

export function Themed(props: { appearance: Appearance; children: ReactNode }) {
  const dark = useMedia("(prefers-color-scheme: dark)");
  const forced = useMedia("(forced-colors: active)");
  const contrast = useMedia("(prefers-contrast: more)") || forced;
  const system = contrast ? "contrast" : dark ? "dark" : "light";
  const chosen = props.appearance === "system" ? system : props.appearance;
  return (
    <RendererProvider renderer={RENDERER} targetDocument={document}>
      <FluentProvider theme={THEMES[chosen]} className="themed" data-appearance={chosen}>
        {props.children}
      </FluentProvider>
    </RendererProvider>
  );
}

/** Style elements carry the nonce of the document: the page allows no others. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
const RENDERER = createDOMRenderer(document, { styleElementAttributes: { nonce } });

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    () => matchMedia(query).matches,
  );
}
