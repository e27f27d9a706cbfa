/**
 * Which bytes of an executable are references, one small block at a time. It looks at nothing
 * but the block and its margins, so that it can be asked for any block in any order in little memory. A guess that is
 * wrong costs a few bytes in the patch and nothing else.
 */
import type { AddressMap } from "./addressMap.ts";
import { type ByteSource, viewOf } from "./byteSource.ts";
import type { ElfImage, ElfSection } from "./elf.ts";
import {
  BLOCK_BYTES,
  BLOCK_MARGIN,
  type FieldList,
  type Part,
  SCANNED_BYTES,
} from "./fieldList.ts";
import { type GoTables, goTables, scanGoLines } from "./goLines.ts";
import {
  scanCode,
  scanConstants,
  scanDebug,
  scanFrameIndex,
  scanFrames,
  scanPointers,
  scanRelocations,
  scanSymbols,
} from "./tableFields.ts";

export interface FieldScanner {
  readonly image: ElfImage;
  /** `bytes`: the block between its margins (zeros outside the file). */
  scan(block: number, bytes: Uint8Array, list: FieldList): void;
}

export function fieldScanner(image: ElfImage, source: ByteSource, map: AddressMap): FieldScanner {
  const go = new Map<ElfSection, GoTables | undefined>();
  for (const section of image.sections) {
    if (section.kind === "go-lines") go.set(section, goTables(image, section, source));
  }
  return {
    image,
    scan(block, bytes, list) {
      const start = block * BLOCK_BYTES - BLOCK_MARGIN;
      list.reset(map);
      const view = viewOf(bytes);
      for (const section of image.sections) {
        const from = Math.max(section.offset, start) - start;
        const to = Math.min(section.offset + section.size, start + SCANNED_BYTES) - start;
        if (from < to)
          scanSection({ image, section, bytes, view, start, from, to, list }, go.get(section));
      }
    },
  };
}

function scanSection(part: Part, go: GoTables | undefined): void {
  switch (part.section.kind) {
    case "code":
      scanCode(part);
      break;
    case "data":
      scanPointers(part);
      break;
    case "constants":
      scanConstants(part);
      break;
    case "debug":
      if (!part.image.relocatable) scanDebug(part);
      break;
    case "rela":
      scanRelocations(part);
      break;
    case "symbols":
      scanSymbols(part);
      break;
    case "frames":
      scanFrames(part);
      break;
    case "frame-index":
      scanFrameIndex(part);
      break;
    case "go-lines":
      if (go !== undefined) scanGoLines(part, go);
      break;
  }
}
