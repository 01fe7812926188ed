/** compile_commands.json (clang's JSON compilation database) from the command that make leaves beside every object: `boot.o.cmd`. */
import { shellWords } from './shell-words';

/** One entry: how a source file is compiled. */
export interface CompileCommand {
  readonly directory: string;
  readonly file: string;
  readonly arguments: readonly string[];
  readonly output: string;
}

/** Arguments that only concern make's own dependency files. */
const dependencyFlag = /^(-Wp,-M|-MD$|-MMD$|-MP$)/;

/** The entry of a `.cmd` file; undefined where it compiles nothing. @param directory the folder that make runs commands in. */
export function compileCommand(text: string, directory: string): CompileCommand | undefined {
  const words = shellWords(text).filter((word) => !dependencyFlag.test(word));
  const source = words.indexOf('-c');
  const output = words.indexOf('-o');
  const file = words[source + 1];
  if (source < 0 || output < 0 || file === undefined || !/\.(c|cc|cpp|cxx|S|s|asm)$/.test(file)) return undefined;
  const absolute = file.startsWith('/') ? file : `${directory}/${file}`;
  return { directory, file: absolute, arguments: words, output: words[output + 1] ?? '' };
}

/** The file's text, entries sorted by source so that an unchanged build writes the same bytes. */
export function compileCommandsText(commands: readonly CompileCommand[]): string {
  const key = ({ file, output }: CompileCommand): string => `${file}\0${output}`;
  const sorted = [...commands].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return `[\n${sorted.map((command) => `  ${JSON.stringify(command)}`).join(',\n')}\n]\n`;
}
