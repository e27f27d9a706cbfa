import type { ErrorRow } from "./catalogue.ts";

export const SERVER_ERRORS = {} as const satisfies Record<string, ErrorRow>;
