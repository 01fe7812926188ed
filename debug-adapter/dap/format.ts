/** Addresses as the protocol spells them. */
import { protocolErrors } from './errors';

/** An address as the protocol spells it: 0x and hexadecimal digits, no padding, so that equal addresses are equal strings. */
export const formatAddress = (address: bigint): string => `0x${address.toString(16)}`;

/** Reads an address reference with an optional byte offset. */
export function parseAddress(text: string, offset = 0): bigint {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text.trim())) throw protocolErrors.badAddress(text);
  return BigInt.asUintN(64, BigInt(text.trim()) + BigInt(offset));
}
