/** Sizes as people read them. */

/** `812 B`, `14.2 KiB`, `1.63 MiB` */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(kib < 100 ? 1 : 0)} KiB` : `${(kib / 1024).toFixed(2)} MiB`;
}
