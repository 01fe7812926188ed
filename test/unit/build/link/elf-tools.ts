/** What binutils and gdb say of a linked program, in a form that does not depend on where the linker put things. */
import { execFileSync, spawnSync } from 'node:child_process';

const run = (tool: string, ...args: string[]): string =>
  execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });

/** A symbol of a program. */
export interface ProgramSymbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  readonly type: string;
  readonly bind: string;
}

/** Symbols with a place, by readelf. */
export function programSymbols(file: string): ProgramSymbol[] {
  const found: ProgramSymbol[] = [];
  const rows = run('readelf', '-sW', file).matchAll(/^\s*\d+: ([0-9a-f]{16})\s+(\d+|0x[0-9a-f]+) (\w+)\s+(\w+)\s+\w+\s+(\w+) (\S+)$/gm);
  for (const [, value, size, type, bind, section, name] of rows)
    if (section !== 'UND' && type !== 'SECTION' && type !== 'FILE')
      found.push({ name: name!, value: parseInt(value!, 16), size: Number(size), type: type!, bind: bind! });
  return found;
}

/** Name, type, binding and size of the symbols that `wanted` accepts. */
export function describeSymbols(file: string, wanted: (name: string) => boolean): string[] {
  const seen = programSymbols(file).filter(({ name }) => wanted(name));
  return seen.map((s) => `${s.name} ${s.type} ${s.bind} ${s.size}`).sort();
}

/** Function, file and line at the start, a quarter and half of each function, inlined ones too, by addr2line; sorted, as archives may be searched in another order. */
export function describeLines(file: string, wanted: (name: string) => boolean): string[] {
  const functions = programSymbols(file).filter((s) => s.type === 'FUNC' && s.size > 0 && wanted(s.name));
  const places = functions.flatMap((f) => [0, f.size >> 2, f.size >> 1].map((o) => `0x${(f.value + o).toString(16)}`));
  const said = run('addr2line', '-p', '-f', '-i', '-C', '-e', file, ...places)
    .replace(/\n \(inlined by\) /g, ' < ')
    .trim()
    .split('\n');
  return functions.map(({ name }, i) => [name, ...said.slice(3 * i, 3 * i + 3)].join('\n')).sort();
}

/** What gdb prints for commands, addresses made alike. */
export function debuggerSays(file: string, commands: readonly string[]): string {
  const args = ['-q', '-nx', '-batch', ...commands.flatMap((c) => ['-ex', c]), '--args', file, 'one', 'two'];
  const { stdout } = spawnSync('gdb', args, { encoding: 'utf8', timeout: 60_000 });
  return stdout
    .replace(/0x[0-9a-f]+/g, '0x…')
    .replaceAll(file, 'PROGRAM')
    .replace(/^\[Inferior.*process \d+/gm, '[Inferior');
}
