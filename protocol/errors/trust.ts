import type { ErrorRow } from "./catalogue.ts";

export const TRUST_ERRORS = {} as const satisfies Record<string, ErrorRow>;
