/** Random reads of something that is too large to hold: a file on disk, a patch, a part of either. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Fills `target` whole from `offset`, or throws. Never asked for bytes beyond the size. */
  read(offset: number, target: Uint8Array): void;
}

export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
  };
}

export function readBytes(source: ByteSource, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A part of a source as a source of its own. */
export function sourcePart(source: ByteSource, start: number, length: number): ByteSource {
  if (start === 0 && length === source.sizeBytes) return source;
  return {
    sizeBytes: length,
    read: (offset, target) => source.read(start + offset, target),
  };
}
