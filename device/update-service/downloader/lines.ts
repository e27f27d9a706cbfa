/** Lines of a stream that is not trusted: nothing longer than agreed is ever held in memory. */
import type { Readable } from "node:stream";

export function onLines(
  stream: Readable,
  maxLength: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): void {
  let held = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) {
      if (line.length > maxLength) onTooLong();
      else onLine(line);
    }
    if (held.length <= maxLength) return;
    held = "";
    onTooLong();
  });
}
