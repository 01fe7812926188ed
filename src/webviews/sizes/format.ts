/** How sizes, their parts of a whole and their changes are written. */

/** `812 B`, `14.2 KiB`, `1.63 MiB` */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(kib < 100 ? 1 : 0)} KiB` : `${(kib / 1024).toFixed(2)} MiB`;
}

/** `+1.2 KiB`, `−340 B`, `±0` */
export function changeText(bytes: number): string {
  return bytes === 0 ? '±0' : `${bytes > 0 ? '+' : '−'}${sizeText(Math.abs(bytes))}`;
}

/** `12.3 %` */
export function partText(part: number, whole: number): string {
  return whole === 0 ? '' : `${((part / whole) * 100).toFixed(1)} %`;
}
