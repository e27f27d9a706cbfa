/** How the page looks, as the person chose it in this browser; `theme.tsx` makes it so. */

export const APPEARANCES = ["system", "light", "dark", "contrast"] as const;
export type Appearance = (typeof APPEARANCES)[number];

const REMEMBERED = "upbeat-appearance";

export function chosenAppearance(): Appearance {
  const found = localStorage.getItem(REMEMBERED);
  return APPEARANCES.find((appearance) => appearance === found) ?? "system";
}

export const rememberAppearance = (chosen: Appearance): void =>
  localStorage.setItem(REMEMBERED, chosen);
