/** What a build needs to know of a compiler; finding one is the runner's part. */

/** A C compiler that makes x86-64 ELF objects. */
export interface Toolchain {
  readonly kind: 'gcc' | 'clang';
  /** Absolute path of the program. */
  readonly path: string;
  /** First line of `--version`. */
  readonly version: string;
  /** Folder of the compiler's own headers (stdint.h, stdarg.h, …). */
  readonly includeDir: string;
  /** Arguments that select x86-64 ELF, where the compiler's default is something else. */
  readonly targetArgs: readonly string[];
}

/** Names that are looked for, best first. */
export const COMPILER_NAMES = ['gcc', 'clang', 'x86_64-linux-gnu-gcc', 'x86_64-elf-gcc', 'cc'] as const;

/** What to tell someone without a compiler. `looked` are the names or the value of CC that were tried. */
export function noCompilerMessage(looked: readonly string[], platform: string): string {
  const get =
    platform === 'darwin'
      ? 'On macOS `xcode-select --install` brings clang.'
      : platform === 'win32'
        ? 'On Windows install LLVM (`winget install LLVM.LLVM`), or build inside WSL.'
        : 'On Debian and Ubuntu `sudo apt install gcc` brings one, on Fedora `sudo dnf install gcc`.';
  return `No C compiler for x86-64 was found; looked for ${looked.join(', ')}. ${get} A compiler elsewhere can be named in the environment variable CC.`;
}
