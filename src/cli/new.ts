/** `unikernel new`: a project from a template. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nameFault, TEMPLATES, type TemplateBase, templateFiles, type TemplateId } from '../build/templates/templates';
import { faultSentence, readCommandLine } from './arguments';
import { type CliIo } from './io';

const HELP = `Usage: unikernel new TEMPLATE DIR [options]

Makes a project in DIR, which must be empty or not there yet. 'unikernel build DIR' then builds it.

${TEMPLATES.map((t) => `  ${t.id.padEnd(16)}${t.about}`).join('\n')}

  --name NAME     name of the project (default: that of DIR)
  --base BASE     pool (default): the starter pool; upstream: a Unikraft tree, built by make
  --core DIR      the Unikraft tree; stands for --base upstream
  --program FILE  with binary: the Linux program
  --json          what was written, as JSON
  --help          this text

Exit status: 0, 1 where the project cannot be made, 2 for a wrong command line.
`;

const VALUED = ['--name', '--base', '--core', '--program'] as const;

interface Arguments {
  readonly template: TemplateId;
  readonly dir: string;
  readonly value: (option: string) => string | undefined;
  readonly json: boolean;
}

function readArguments(argv: readonly string[]): Arguments | string {
  const line = readCommandLine(argv, { valued: VALUED, flags: ['--json'] });
  if ('fault' in line) return faultSentence(line);
  const { value } = line;
  const [id, dir, more] = line.words;
  const names = TEMPLATES.map((t) => t.id).join(', ');
  if (id === undefined) return `A template is missing: ${names}.`;
  const template = TEMPLATES.find((t) => t.id === id);
  if (!template) return `There is no template ${id}; there are ${names}.`;
  if (dir === undefined) return 'The folder of the new project is missing.';
  if (more !== undefined) return `Only one project can be made; there are ${dir} and ${more}.`;
  const base = value('--base');
  if (base !== undefined && base !== 'pool' && base !== 'upstream') return `--base is pool or upstream, not ${base}.`;
  if (base === 'pool' && value('--core') !== undefined) return '--core is for --base upstream.';
  if (value('--program') !== undefined && template.id !== 'binary') return '--program is for the template binary.';
  return { template: template.id, dir, value, json: line.flags.has('--json') };
}

/** Runs the command; the exit status. */
export function newCommand(argv: readonly string[], io: CliIo): number {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(HELP);
    return 0;
  }
  const args = readArguments(argv);
  const refuse = (message: string, status: number): number => {
    io.stderr(`unikernel new: ${message}\n`);
    return status;
  };
  if (typeof args === 'string') return refuse(`${args} See unikernel new --help.`, 2);
  const dir = path.resolve(io.cwd, args.dir);
  const [given, core, program] = ['--name', '--core', '--program'].map(args.value);
  const name = given ?? path.basename(dir);
  const fault = nameFault(name);
  if (fault !== undefined) return refuse(`“${name}” cannot be the name of a project. ${fault} Give another one with --name.`, 2);
  const base: TemplateBase = core !== undefined || args.value('--base') === 'upstream' ? 'upstream' : 'pool';
  try {
    if (isTaken(dir)) return refuse(`${dir} is not empty.`, 1);
    const files = templateFiles({
      template: args.template,
      name,
      base,
      ...(core !== undefined && { core: path.resolve(io.cwd, core) }),
      ...(program !== undefined && { program: { name: path.basename(program), bytes: readFileSync(path.resolve(io.cwd, program)) } }),
    });
    for (const file of files) {
      const to = path.join(dir, file.path);
      mkdirSync(path.dirname(to), { recursive: true });
      writeFileSync(to, file.data);
      if (file.executable) chmodSync(to, 0o755);
    }
    if (args.json)
      io.stdout(`${JSON.stringify({ directory: dir, name, template: args.template, base, files: files.map((f) => f.path) })}\n`);
    else {
      for (const file of files) io.stdout(`${path.join(args.dir, file.path)}\n`);
      const build = args.template === 'library' ? path.join(args.dir, 'example') : args.dir;
      io.stderr(base === 'pool' ? `Build it with: unikernel build ${build}\n` : `Build it with: make -C ${build} defconfig all\n`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return refuse(`The project cannot be made: ${error.message}`, 1);
  }
}

function isTaken(dir: string): boolean {
  try {
    return readdirSync(dir).some((n) => n !== '.git');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
