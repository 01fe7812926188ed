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

function isOctalDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x37;
}

/** `"text\n"`, with `...` after it where there is more. */
export function quoteBytes(bytes: Uint8Array, truncated: boolean, limit = Infinity): string {
  const kept = bytes.subarray(0, Math.min(bytes.length, limit));
  let text = '';
  kept.forEach((byte, index) => {
    const escape = escapes[byte];
    if (escape !== undefined) text += escape;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    // The shortest octal escape that the next character cannot lengthen.
    else text += `\\${byte.toString(8).padStart(isOctalDigit(kept[index + 1]) ? 3 : 1, '0')}`;
  });
  return `"${text}"${truncated || kept.length < bytes.length ? '...' : ''}`;
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
