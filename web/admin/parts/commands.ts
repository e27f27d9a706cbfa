/** The commands that pages end in: written so that they can be pasted into a POSIX shell as they are. */

/** Words that a shell leaves alone stay as they are, for those who read them. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What is undefined or empty is left out, together with its option. */
export function command(
  words: readonly string[],
  options: readonly (readonly [flag: string, value: string | undefined])[] = [],
): string {
  const given = options.flatMap(([flag, value]) =>
    value === undefined || value === "" ? [] : [flag, shellWord(value)],
  );
  return ["upbeat", ...words.map(shellWord), ...given].join(" ");
}

/** `--channel` only where it is not the one that the command means anyway. */
export const channelOption = (channel: string): readonly [string, string | undefined] => [
  "--channel",
  channel === "stable" ? undefined : channel,
];

export interface RingDraft {
  readonly name: string;
  readonly who: string;
  /** In local time as a browser's field gives it; empty: now. */
  readonly start: string;
  readonly curve: string;
}

/** A ring as `upbeat rollouts create --ring` reads it. */
export function ringText({ name, who, start, curve }: RingDraft): string {
  return [
    name,
    ...(who === "" ? [] : [`who=${who}`]),
    ...(start === "" ? [] : [`start=${momentText(start)}`]),
    ...(curve === "" ? [] : [`curve=${curve}`]),
  ].join(" ");
}

/** With its zone: the command may run on a computer in another one. */
export const momentText = (local: string): string =>
  new Date(local).toISOString().replace(".000Z", "Z");
