/** Names of symbols as people write them, where a compiler of C++ or Rust has mangled them. */
import { demangleItanium } from './itanium';
import { demangleLegacyRust, demangleRust } from './rust';

/** Longer ones are left as they are. */
const longestName = 4096;
/** Names that are kept. */
const mostKept = 20_000;
const kept = new Map<string, string>();

/** The name without its mangling, or as it is. */
export function demangled(name: string): string {
  if (!name.startsWith('_Z') && !name.startsWith('_R')) return name;
  let result = kept.get(name);
  if (result === undefined) {
    result = (name.length > longestName ? undefined : (demangleRust(name) ?? demangleLegacyRust(name) ?? demangleItanium(name))) ?? name;
    if (kept.size >= mostKept) kept.clear();
    kept.set(name, result);
  }
  return result;
}
