/** `unikernel build`: builds a pool application. */

import { TARGETS } from '../build/plan';
import { buildPool } from '../build/pool-build.node';
import { type BuildProblem, formatProblem } from '../build/problems';
import { type CliIo } from './io';

const HELP = `Usage: unikernel build [DIR] [options]

Builds the pool application in DIR (default: the working directory) into DIR/build.
The configuration is DIR/.config, else DIR/defconfig, over the options in DIR/Kraftfile, completed with defaults. Targets,
libraries and root file system are those of the Kraftfile, where there is one.

  --target NAME   what the image is for (default qemu-x86_64); may be given again
                    ${Object.entries(TARGETS)
                      .map(([name, t]) => `${name.padEnd(12)} ${t.title}`)
                      .join('\n                    ')}
  --output DIR    build folder instead of DIR/build
  --name NAME     name of the images (default: that in the Kraftfile, else that of DIR)
  --rootfs PATH   folder or cpio archive of the root file system, instead of the Kraftfile's
  --pool DIR      folder of the library pool
  --library DIR   folder of a further library; may be given again
  --linker NAME   own (default), or ld for GNU ld
  --jobs N        compilers at a time
  --quiet         only problems
  --json          the result as JSON on standard output
  --help          this text

Exit status: 0 built, 1 not built, 2 wrong arguments.
`;

interface Arguments {
  readonly dir: string;
  readonly targets: readonly string[];
  readonly libraries: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly json: boolean;
  readonly quiet: boolean;
}

const VALUED = ['--target', '--output', '--name', '--pool', '--library', '--linker', '--jobs', '--rootfs'];

/** Arguments, or a sentence that says what is wrong with them. */
function readArguments(argv: readonly string[]): Arguments | string {
  const values = new Map<string, string>();
  const targets: string[] = [];
  const libraries: string[] = [];
  let dir: string | undefined;
  let json = false;
  let quiet = false;
  for (let i = 0; i < argv.length; i++) {
    const [option, inline] = argv[i]!.startsWith('--')
      ? (argv[i]!.split(/=(.*)/s, 2) as [string, string | undefined])
      : [argv[i]!, undefined];
    if (VALUED.includes(option)) {
      const value = inline ?? argv[++i];
      if (value === undefined) return `${option} needs a value.`;
      if (option === '--target') targets.push(value);
      else if (option === '--library') libraries.push(value);
      else values.set(option, value);
    } else if (option === '--json') json = true;
    else if (option === '--quiet') quiet = true;
    else if (option.startsWith('-')) return `There is no option ${option}.`;
    else if (dir !== undefined) return `Only one folder can be built; there are ${dir} and ${option}.`;
    else dir = option;
  }
  const linker = values.get('--linker');
  if (linker !== undefined && linker !== 'own' && linker !== 'ld') return `--linker is own or ld, not ${linker}.`;
  const jobs = values.get('--jobs');
  if (jobs !== undefined && !/^[1-9]\d{0,3}$/.test(jobs)) return `--jobs is a number from 1 on, not ${jobs}.`;
  const unknown = targets.find((t) => !Object.hasOwn(TARGETS, t));
  if (unknown !== undefined) return `There is no target ${unknown}; there are ${Object.keys(TARGETS).join(' and ')}.`;
  return { dir: dir ?? '.', targets, libraries, values, json, quiet };
}

function absolute(path: string, cwd: string): string {
  return /^([A-Za-z]:)?[\\/]/.test(path) ? path : `${cwd}/${path}`;
}

/** Runs the command; resolves to the exit status. */
export async function buildCommand(argv: readonly string[], io: CliIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(HELP);
    return 0;
  }
  const args = readArguments(argv);
  if (typeof args === 'string') {
    io.stderr(`unikernel build: ${args} See unikernel build --help.\n`);
    return 2;
  }
  const at = (path: string | undefined): string | undefined => (path === undefined ? undefined : absolute(path, io.cwd));
  const started = performance.now();
  const [pool, build, name, jobs, rootfs] = ['--pool', '--output', '--name', '--jobs', '--rootfs'].map((o) => args.values.get(o));
  const result = await buildPool({
    app: absolute(args.dir, io.cwd),
    env: { ...io.env },
    linker: args.values.get('--linker') === 'ld' ? 'ld' : 'own',
    libraries: args.libraries.map((l) => absolute(l, io.cwd)),
    ...(args.targets.length > 0 && { targets: args.targets }),
    ...(pool !== undefined && { pool: at(pool)! }),
    ...(build !== undefined && { build: at(build)! }),
    ...(rootfs !== undefined && { rootfs: at(rootfs)! }),
    ...(name !== undefined && { name }),
    ...(jobs !== undefined && { jobs: Number(jobs) }),
    ...(!args.json && !args.quiet && { progress: (verb: string, what: string) => io.stderr(`  ${verb.padEnd(6)}${what}\n`) }),
  });
  const ms = Math.round(performance.now() - started);
  if (args.json) {
    const { ok, images, problems, compiled, linked, command } = result;
    io.stdout(`${JSON.stringify({ ok, images, problems, compiled, linked, command, ms })}\n`);
    return ok ? 0 : 1;
  }
  for (const p of result.problems) io.stderr(`${describe(p)}\n`);
  if (!result.ok) {
    io.stderr('unikernel build: the image was not built.\n');
    return 1;
  }
  for (const { image } of result.images) io.stdout(`${image}\n`);
  if (!args.quiet) io.stderr(`${result.compiled === 0 && !result.linked ? 'Nothing to do' : 'Built'} in ${ms} ms.\n`);
  return 0;
}

function describe(p: BuildProblem): string {
  return p.path === '' ? `${p.severity}: ${p.message}` : formatProblem(p);
}
