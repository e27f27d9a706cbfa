/** One byte range of a file (RFC 9110, section 14). Pure. */

export type Part =
  | { readonly is: "whole" }
  | { readonly is: "part"; readonly start: number; readonly end: number }
  | { readonly is: "unsatisfiable" };

/** `end` is the last byte. Several ranges, or what cannot be read, is answered with the whole. */
export function partOf(range: string | undefined, sizeBytes: number): Part {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? "");
  const [, first = "", last = ""] = found ?? [];
  if (first === "" && last === "") return { is: "whole" };
  if (first === "") {
    const count = Math.min(Number(last), sizeBytes);
    if (count === 0) return { is: "unsatisfiable" };
    return { is: "part", start: sizeBytes - count, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== "" && Number(last) < start) return { is: "whole" };
  return start < sizeBytes ? { is: "part", start, end } : { is: "unsatisfiable" };
}
