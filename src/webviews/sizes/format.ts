/** How parts of a whole and changes of sizes are written. */
import { sizeText } from '../../shared/size-text';

/** `+1.2 KiB`, `−340 B`, `±0` */
export function changeText(bytes: number): string {
  return bytes === 0 ? '±0' : `${bytes > 0 ? '+' : '−'}${sizeText(Math.abs(bytes))}`;
}

/** `12.3 %` */
export function partText(part: number, whole: number): string {
  return whole === 0 ? '' : `${((part / whole) * 100).toFixed(1)} %`;
}
