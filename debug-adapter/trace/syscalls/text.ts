/** Bytes of the guest's memory as C string literals, the way that strace writes them. */

const escapes: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};
/** Characters shown of a buffer. */
const shown = 32;

const isOctalDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x37;

/** Each byte as it is written, and before an octal digit: the shortest octal escape that the next character cannot lengthen. */
const written = Array.from({ length: 256 }, (_, byte) => escapes[byte] ?? plain(byte) ?? `\\${byte.toString(8)}`);
const writtenBeforeDigit = written.map((text, byte) => escapes[byte] ?? plain(byte) ?? `\\${text.slice(1).padStart(3, '0')}`);

function plain(byte: number): string | undefined {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : undefined;
}

/** `"text\n"`, with `...` after it where there is more. */
export function quoteBytes(bytes: Uint8Array, truncated: boolean, limit = Infinity): string {
  const kept = Math.min(bytes.length, limit);
  let text = '"';
  for (let i = 0; i < kept; i++) text += (i + 1 < kept && isOctalDigit(bytes[i + 1]!) ? writtenBeforeDigit : written)[bytes[i]!]!;
  return truncated || kept < bytes.length ? `${text}"...` : `${text}"`;
}

/** A buffer's contents, cut where strace cuts. */
export function quoteBuffer(bytes: Uint8Array, truncated: boolean): string {
  return quoteBytes(bytes, truncated, shown);
}

/** A buffer of bytes that are no text: each one in hexadecimal. */
export function quoteHex(bytes: Uint8Array, truncated: boolean): string {
  const kept = bytes.subarray(0, shown);
  const text = [...kept].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return `"${text}"${truncated || kept.length < bytes.length ? '...' : ''}`;
}
