/** `unikernel size`: what an image is made of, and what changed between two builds. */

import { readImageSizes } from '../build/sizes/image.node';
import { diffSizes, groupSizes, SIZE_LEVELS, type SizeLevel, type SizeReport, sizeTotals } from '../build/sizes/model';
import { faultSentence, readCommandLine } from './arguments';
import { type CliIo } from './io';

const HELP = `Usage: unikernel size IMAGE [options]

Sizes of an image in memory, bytes. Symbols are taken from IMAGE.dbg where there is one; libraries and objects from the map of the
build that made it, else from its debug information and, for upstream builds, from the build folder.

  --by LEVEL       library (default), object, section or symbol
  --diff OTHER     what changed from OTHER to IMAGE
  --symbols FILE   the file with symbols of IMAGE
  --build DIR      the build folder of IMAGE (default: the folder it lies in)
  --limit N        at most N rows (default 40 on a terminal's worth of text, all with --json)
  --json           data instead of text
  --help           this text

Exit status: 0, 1 where an image cannot be read, 2 for a wrong command line.
`;

interface Arguments {
  readonly image: string;
  readonly by: SizeLevel;
  readonly diff?: string;
  readonly symbols?: string;
  readonly build?: string;
  readonly limit?: number;
  readonly json: boolean;
}

const VALUED = ['--by', '--diff', '--symbols', '--build', '--limit'] as const;

function readArguments(argv: readonly string[]): Arguments | string {
  const line = readCommandLine(argv, { valued: VALUED, flags: ['--json'] });
  if ('fault' in line) return faultSentence(line);
  const [image, other] = line.words;
  if (other !== undefined) return `Only one image is read; there are ${image!} and ${other}. To compare, use --diff.`;
  if (image === undefined) return 'An image is missing.';
  const by = SIZE_LEVELS.find((l) => l === (line.value('--by') ?? 'library'));
  if (!by) return `--by is ${SIZE_LEVELS.join(', ')}, not ${line.value('--by')!}.`;
  const limit = line.value('--limit');
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit)) return `--limit is a number from 1 on, not ${limit}.`;
  const [diff, symbols, build] = ['--diff', '--symbols', '--build'].map(line.value);
  return {
    image,
    by,
    json: line.flags.has('--json'),
    ...(diff !== undefined && { diff }),
    ...(symbols !== undefined && { symbols }),
    ...(build !== undefined && { build }),
    ...(limit !== undefined && { limit: Number(limit) }),
  };
}

/** Runs the command; the exit status. */
export function sizeCommand(argv: readonly string[], io: CliIo): number {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(HELP);
    return 0;
  }
  const args = readArguments(argv);
  if (typeof args === 'string') {
    io.stderr(`unikernel size: ${args} See unikernel size --help.\n`);
    return 2;
  }
  const at = (path: string): string => (/^([A-Za-z]:)?[\\/]/.test(path) ? path : `${io.cwd}/${path}`);
  try {
    const report = readImageSizes(at(args.image), {
      ...(args.symbols !== undefined && { symbols: at(args.symbols) }),
      ...(args.build !== undefined && { build: at(args.build) }),
    });
    if (args.diff === undefined) printSizes(report, args, io);
    else printDifference(readImageSizes(at(args.diff)), report, args, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    io.stderr(
      `unikernel size: ${code === 'ENOENT' ? `there is no file ${(error as NodeJS.ErrnoException).path ?? args.image}.` : error.message}\n`,
    );
    return 1;
  }
}

const LIMIT = 40;

function printSizes(report: SizeReport, args: Arguments, io: CliIo): void {
  const totals = sizeTotals(report);
  const rows = groupSizes(report, args.by);
  if (args.json) {
    io.stdout(
      `${JSON.stringify({ image: args.image, by: args.by, totals, sections: report.sections, rows: rows.slice(0, args.limit) })}\n`,
    );
    return;
  }
  const shown = rows.slice(0, args.limit ?? LIMIT);
  const line = (name: string, r: { text: number; data: number; bss: number }, size: number): string =>
    `${[r.text, r.data, r.bss, size].map((n) => String(n).padStart(9)).join('')}  ${name}\n`;
  io.stdout(`     text     data      bss     size  ${args.by}\n`);
  for (const r of shown) io.stdout(line(r.path.join('  '), r, r.size));
  if (rows.length > shown.length) io.stdout(`${' '.repeat(38)}… and ${rows.length - shown.length} more\n`);
  io.stdout(line('total', totals, totals.total));
}

function printDifference(before: SizeReport, after: SizeReport, args: Arguments, io: CliIo): void {
  const changes = diffSizes(before, after, args.by);
  const totals = { before: sizeTotals(before), after: sizeTotals(after) };
  if (args.json) {
    io.stdout(`${JSON.stringify({ image: args.image, other: args.diff, by: args.by, totals, changes: changes.slice(0, args.limit) })}\n`);
    return;
  }
  const shown = changes.slice(0, args.limit ?? LIMIT);
  const line = (name: string, from: number, to: number): string =>
    `${String(from).padStart(9)}${String(to).padStart(9)}${`${to >= from ? '+' : ''}${to - from}`.padStart(9)}  ${name}\n`;
  io.stdout(`   before    after   change  ${args.by}\n`);
  for (const c of shown) io.stdout(line(c.path.join('  '), c.before, c.after));
  if (changes.length > shown.length) io.stdout(`${' '.repeat(29)}… and ${changes.length - shown.length} more\n`);
  io.stdout(line('total', totals.before.total, totals.after.total));
}
