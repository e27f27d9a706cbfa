/** The three-way result of everything that is asked for over a network: there is no fourth. */
import type { Asked } from "../../protocol/settingsPageApi.ts";

export type Loaded<T> = { readonly state: "loading" } | Asked<T>;

export const LOADING = { state: "loading" } as const;
