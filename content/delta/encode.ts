/**
 * Makes the patch that leads from one tree to another: solid, over all files that changed.
 *
 *   encodeDelta({ old, fresh })   the patch; files are named in it by their index in these lists
 *
 * Files whose content the old tree has under any name are not in it: whoever applies it links them.
 * The patch is proved before it is returned: it is applied, and every file's SHA-256 compared.
 */
import { applyDelta } from "./apply.ts";
import { sourceOfBytes, sourcePart } from "./byteSource.ts";
import { packBlock } from "./compress.ts";
import { encodeGroup } from "./encodeGroup.ts";
import { GROUP_LIMITS, type GroupLimits, planGroups, type TreeFile } from "./groups.ts";
import { joinPatch, type PackedGroup, type Slice, writeHeader } from "./patchHeader.ts";

export interface Trees {
  readonly old: readonly TreeFile[];
  readonly fresh: readonly TreeFile[];
}

/** Errors: those of reading the files; UPB-DELTA-WRONG-BASE when one changed meanwhile. */
export async function encodeDelta(
  { old, fresh }: Trees,
  limits: GroupLimits = GROUP_LIMITS,
): Promise<Uint8Array> {
  const groups: PackedGroup[] = [];
  for (const group of planGroups(old, fresh, limits)) {
    const open = (side: readonly TreeFile[], slices: readonly Slice[]) =>
      slices.map((slice) => sourcePart(side[slice.file] as TreeFile, slice.start, slice.length));
    groups.push(
      await encodeGroup(
        group.text,
        group.old,
        group.fresh,
        open(old, group.old),
        open(fresh, group.fresh),
      ),
    );
  }
  const patch = joinPatch(await packBlock(writeHeader(groups)), groups);
  applyDelta({
    patch: sourceOfBytes(patch),
    old: (file) => old[file] as TreeFile,
    fresh: (file) => fresh[file],
    sink: { write: () => {}, finish: () => {} },
  });
  return patch;
}
