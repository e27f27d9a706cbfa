/**
 * Which files of two trees go into one comparison: all that changed, executables and other binary
 * files apart from text, in groups that a publisher's memory can hold.
 */
import { type ByteSource, readBytes } from "./byteSource.ts";
import type { Slice } from "./patchHeader.ts";

export interface TreeFile extends ByteSource {
  readonly path: string;
  readonly sha256: string;
}

export interface Group {
  readonly text: boolean;
  readonly old: readonly Slice[];
  readonly fresh: readonly Slice[];
}

export interface GroupLimits {
  /** Of old and of new bytes each. */
  readonly groupBytes: number;
  /** Files above the limit are cut, and a part is compared with so much more of the old one. */
  readonly overlapBytes: number;
}

/** The comparison takes some 2 to 2.5 times this of memory beside the files' own bytes. */
export const GROUP_LIMITS: GroupLimits = { groupBytes: 256 * 2 ** 20, overlapBytes: 32 * 2 ** 20 };

interface Member {
  readonly path: string;
  readonly text: boolean;
  /** Indexes; a file that was only removed or only added lacks the other. */
  readonly old: number | undefined;
  readonly fresh: number | undefined;
}

export function planGroups(
  old: readonly TreeFile[],
  fresh: readonly TreeFile[],
  limits: GroupLimits = GROUP_LIMITS,
): Group[] {
  const members = changedMembers(old, fresh);
  const groups: Group[] = [];
  for (const text of [false, true]) {
    const chosen = members.filter((member) => member.text === text);
    if (chosen.every((member) => member.fresh === undefined)) continue;
    const size = (member: Member) => Math.max(sizeOf(old, member.old), sizeOf(fresh, member.fresh));
    const large = chosen.filter((member) => size(member) > limits.groupBytes);
    for (const member of large) groups.push(...cutMember(member, old, fresh, limits));
    const small = chosen.filter((member) => !large.includes(member));
    for (const part of fill(small, old, fresh, limits.groupBytes)) {
      if (part.some((member) => member.fresh !== undefined)) groups.push(groupOf(part, old, fresh));
    }
  }
  return groups;
}

function changedMembers(old: readonly TreeFile[], fresh: readonly TreeFile[]): Member[] {
  const known = new Set(old.map((file) => file.sha256));
  const oldAt = new Map(old.map((file, i) => [file.path, i]));
  const freshPaths = new Set(fresh.map((file) => file.path));
  const members: Member[] = [];
  fresh.forEach((file, i) => {
    if (known.has(file.sha256)) return;
    members.push({ path: file.path, text: isText(file), old: oldAt.get(file.path), fresh: i });
  });
  old.forEach((file, i) => {
    if (freshPaths.has(file.path)) return;
    members.push({ path: file.path, text: isText(file), old: i, fresh: undefined });
  });
  return members.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One part if it fits; else in the order of names alone, so that a renamed folder stays together. */
function fill(
  members: readonly Member[],
  old: readonly TreeFile[],
  fresh: readonly TreeFile[],
  limit: number,
): Member[][] {
  const total = (side: readonly TreeFile[], key: "old" | "fresh") =>
    members.reduce((sum, member) => sum + sizeOf(side, member[key]), 0);
  if (total(old, "old") <= limit && total(fresh, "fresh") <= limit) return [[...members]];
  const byName = [...members].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const parts: Member[][] = [];
  let part: Member[] = [];
  let oldBytes = 0;
  let freshBytes = 0;
  for (const member of byName) {
    oldBytes += sizeOf(old, member.old);
    freshBytes += sizeOf(fresh, member.fresh);
    if (part.length > 0 && (oldBytes > limit || freshBytes > limit)) {
      parts.push(part);
      part = [];
      oldBytes = sizeOf(old, member.old);
      freshBytes = sizeOf(fresh, member.fresh);
    }
    part.push(member);
  }
  parts.push(part);
  return parts;
}

/** Counterparts first, in the same order on both sides, so that most copies go straight ahead. */
function groupOf(
  members: readonly Member[],
  old: readonly TreeFile[],
  fresh: readonly TreeFile[],
): Group {
  const hasOld = (member: Member) => sizeOf(old, member.old) > 0;
  const kept = members.filter((member) => member.fresh !== undefined && hasOld(member));
  const added = members.filter((member) => member.fresh !== undefined && !hasOld(member));
  const removed = members.filter((member) => member.fresh === undefined && hasOld(member));
  const slices = (side: readonly TreeFile[], files: readonly (number | undefined)[]) =>
    files.flatMap((file) => {
      const length = sizeOf(side, file);
      return file === undefined ? [] : [{ file, start: 0, length, whole: true }];
    });
  return {
    text: members[0]?.text ?? false,
    fresh: slices(
      fresh,
      [...kept, ...added].map((member) => member.fresh),
    ),
    old: slices(
      old,
      [...kept, ...removed].map((member) => member.old),
    ),
  };
}

function cutMember(
  member: Member,
  old: readonly TreeFile[],
  fresh: readonly TreeFile[],
  limits: GroupLimits,
): Group[] {
  if (member.fresh === undefined) return [];
  const oldSize = sizeOf(old, member.old);
  const freshSize = sizeOf(fresh, member.fresh);
  const step = limits.groupBytes - 2 * limits.overlapBytes;
  const groups: Group[] = [];
  for (let start = 0; start < freshSize || start === 0; start += step) {
    const from = Math.max(0, start - limits.overlapBytes);
    const to = Math.min(oldSize, start + step + limits.overlapBytes);
    groups.push({
      text: member.text,
      fresh: [
        { file: member.fresh, start, length: Math.min(step, freshSize - start), whole: false },
      ],
      old:
        member.old === undefined || from >= to
          ? []
          : [{ file: member.old, start: from, length: to - from, whole: false }],
    });
  }
  return groups;
}

function isText(file: TreeFile): boolean {
  return !readBytes(file, 0, Math.min(8192, file.sizeBytes)).includes(0);
}

function sizeOf(side: readonly TreeFile[], file: number | undefined): number {
  return file === undefined ? 0 : (side[file]?.sizeBytes ?? 0);
}

function nameOf(member: Member): string {
  return `${member.path.slice(member.path.lastIndexOf("/") + 1)}\0${member.path}`;
}
