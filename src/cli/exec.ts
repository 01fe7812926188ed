/** `unikernel exec`: a Linux program on the starter pool's loader, with files from a folder, as if it were run here. */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { type CpioEntry, writeCpio } from '../build/cpio';
import { readTree } from '../build/cpio.node';
import { type RunIo } from './io';
import { booting, flags, valued } from './run-option-table';

const HELP = `Usage: unikernel exec [options] ELF [ARGS...]

Runs an x86-64 Linux program as a unikernel, on the ELF loader of the starter pool: a static one, a static-PIE, or a dynamic one
whose dynamic linker and libraries are below --root. Its console is standard input and output; standard error goes to standard
output, too. Files are those below --root, in memory: what the program writes is gone with it.

  --root DIR      the root file system; ELF is a path below it, or is put into it
  --cwd DIR       the program's working directory in it (default /)
  --env K=V       a variable of the program's environment; may be given again
  --loader IMAGE  another build of library-pool/app/elfloader
  --help          this text

Programs can have threads and children (fork, vfork, posix_spawn), pipes, signals, handlers of SIGSEGV and timers; sockets reach other
programs of the same machine, and can pass descriptors; epoll waits for many. All programs share one address space without protection,
and there is no network. A system call that is
missing fails with ENOSYS; 'unikernel strace' shows which it was.

The options of 'unikernel run' that do not concern the image, such as --trace, --memory (default 1024), --timeout and --stats, are
possible, too.
Exit status: the program's own; 128 and the signal's number where it crashed; 124 on a limit; 125 where it cannot be started;
126 and 127 where the loader cannot run or find it.
`;

/** The longest command line that the loader's boot code keeps, in bytes. */
const LONGEST = 4095;
const IMAGE = 'elfloader_qemu-x86_64';
const INITRD = '(root file system)';
const DEFAULT_MEMORY = '1024';
const DEFAULT_ENVIRONMENT = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/'];

interface Arguments {
  readonly program: string;
  readonly args: readonly string[];
  readonly root?: string;
  readonly cwd?: string;
  readonly loader?: string;
  readonly env: readonly string[];
  /** Options for `run`. */
  readonly run: readonly string[];
}

function readArguments(argv: readonly string[]): Arguments | 'help' | { readonly error: string } {
  const own = new Map<string, string>();
  const env: string[] = [];
  const run: string[] = [];
  let i = 0;
  for (; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument === '--help' || argument === '-h') return 'help';
    if (argument === '--') {
      i++;
      break;
    }
    if (!argument.startsWith('-')) break;
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    if (flags.some((f) => f === name)) {
      run.push(argument);
      continue;
    }
    const isRun = valued.some((v) => v === name) && !booting.includes(name);
    if (!isRun && !['root', 'cwd', 'env', 'loader'].includes(name)) return { error: `Unknown option ${argument}.` };
    const value = equals < 0 ? argv[++i] : argument.slice(equals + 1);
    if (value === undefined) return { error: `--${name} needs a value.` };
    if (isRun) run.push(`--${name}`, value);
    else if (name !== 'env') own.set(name, value);
    else if (/^[^=\s]+=/.test(value)) env.push(value);
    else return { error: `--env takes NAME=VALUE, not ${value}.` };
  }
  const program = argv[i];
  if (program === undefined) return { error: 'No program is given.' };
  const optional = (key: 'root' | 'cwd' | 'loader'): object => (own.has(key) ? { [key]: own.get(key)! } : {});
  return { program, args: argv.slice(i + 1), env, run, ...optional('root'), ...optional('cwd'), ...optional('loader') };
}

/** Runs the command; resolves to the exit status. */
export async function execCommand(argv: readonly string[], io: RunIo): Promise<number> {
  const args = readArguments(argv);
  if (args === 'help') {
    io.stdout(HELP);
    return 0;
  }
  if ('error' in args) {
    io.stderr(`unikernel exec: ${args.error} See unikernel exec --help.\n`);
    return 2;
  }
  try {
    const loader = args.loader === undefined ? ownLoader() : path.resolve(io.cwd, args.loader);
    const { initrd, guestPath } = makeRoot(args, io.cwd);
    const append = commandLine(args, guestPath, io.interactive);
    const memory = args.run.includes('--memory') ? [] : ['--memory', DEFAULT_MEMORY];
    const { runCommand } = await import('./run');
    return await runCommand([loader, '--initrd', INITRD, '--append', append, ...memory, ...args.run], new ExecIo(io, initrd));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.stderr(`unikernel exec: ${error.message}\n`);
    return 125;
  }
}

/** The loader that comes with the product: beside the bundle, or in a source tree's dist/. */
function ownLoader(): string {
  const found = ['elfloader', '../../dist/elfloader'].map((p) => path.resolve(__dirname, p, IMAGE)).find((p) => isFile(p));
  if (found === undefined)
    throw new Error('The loader is not beside the program; name a build of library-pool/app/elfloader with --loader.');
  return found;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The root file system as an archive, and the program's path in it. */
function makeRoot(args: Arguments, cwd: string): { initrd: Uint8Array; guestPath: string } {
  const root = args.root === undefined ? undefined : path.resolve(cwd, args.root);
  if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`--root: ${root} is no folder.`);
  const entries = root === undefined ? [] : readTree(root, true);
  const guestPath = placeProgram(args.program, root, cwd, entries);
  const has = (name: string): boolean => entries.some((e) => e.path === name || e.path.startsWith(`${name}/`));
  const none = new Uint8Array(0);
  if (!has('tmp')) entries.push({ path: 'tmp', kind: 'directory', data: none, mode: 0o1777 });
  if (!has('proc')) entries.push({ path: 'proc/self/exe', kind: 'symlink', data: new TextEncoder().encode(guestPath) });
  return { initrd: writeCpio(entries), guestPath };
}

/** A path below the root stays; a program from elsewhere goes to the top of the root. */
function placeProgram(program: string, root: string | undefined, cwd: string, entries: CpioEntry[]): string {
  const here = path.resolve(cwd, program);
  if (root !== undefined) {
    // As chroot has it, an absolute path is one in the root.
    const below = (p: string): string | undefined => {
      const name = path.relative(root, p).replaceAll('\\', '/');
      return entries.some((e) => e.path === name && e.kind !== 'directory') ? `/${name}` : undefined;
    };
    const found = (path.isAbsolute(program) ? below(path.join(root, program)) : undefined) ?? below(here);
    if (found !== undefined) return found;
  }
  if (!isFile(here)) throw new Error(`There is no program ${program}${root === undefined ? '' : `, neither below ${root} nor here`}.`);
  const name = path.basename(here);
  const taken = entries.findIndex((e) => e.path === name);
  if (taken >= 0) throw new Error(`${name} stands in ${root!} already, as something else; give the program's path below it.`);
  entries.push({ path: name, kind: 'file', data: readFileSync(realpathSync(here)), mode: 0o755 });
  return `/${name}`;
}

/** A word of the command line; a part in quotes of one kind can hold those of the other. */
function quote(word: string): string {
  if (/^[^\s"']+$/.test(word) && word !== '--') return word;
  return word
    .split(/("+)/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('"') ? `'${part}'` : `"${part}"`))
    .join('')
    .concat(word === '' ? '""' : '');
}

function commandLine({ args, env, cwd }: Arguments, guestPath: string, interactive: boolean): string {
  const given = new Set(env.map((e) => e.slice(0, e.indexOf('='))));
  const all = [...DEFAULT_ENVIRONMENT.filter((e) => !given.has(e.slice(0, e.indexOf('=')))), ...env];
  const words = [guestPath, ...args].map(quote);
  const parameters = ['env.vars=[', ...all.map(quote), ']', ...(cwd === undefined ? [] : [quote(`env.cwd=${cwd}`)])];
  const line = [...parameters, ...(interactive ? [] : ['tty.quiet']), '--', ...words].join(' ');
  if ([line, ...args, ...env].some((text) => text.includes('\0'))) throw new Error('Arguments and variables cannot hold NUL.');
  const bytes = new TextEncoder().encode(line).length + IMAGE.length + 1;
  if (bytes > LONGEST) throw new Error(`Arguments and environment take ${bytes} bytes; the loader has room for ${LONGEST}.`);
  return line;
}

const CR = 13;
const LF = 10;
const END_OF_FILE = 4;
const LITERAL_NEXT = 22;

/** The console as a program's standard input and output: the loader's terminal adds a carriage return to each line, and takes control keys. */
class ExecIo implements RunIo {
  private pending = false;

  constructor(
    private readonly io: RunIo,
    private readonly initrd: Uint8Array,
  ) {}

  readonly stdout = (text: string): void => this.io.stdout(text);
  readonly stderr = (text: string): void => this.io.stderr(text.replace(/^unikernel run:/, 'unikernel exec:'));
  readonly elapsed = (): number => this.io.elapsed();
  readonly breathe = (): Promise<void> => this.io.breathe();
  readonly archive = (directory: string): Promise<Uint8Array> => this.io.archive(directory);
  readonly writeFile = (file: string, bytes: Uint8Array): void => this.io.writeFile(file, bytes);

  get cwd(): string {
    return this.io.cwd;
  }

  get env(): RunIo['env'] {
    return this.io.env;
  }

  get handlers(): RunIo['handlers'] {
    return this.io.handlers;
  }

  get memory(): RunIo['memory'] {
    return this.io.memory;
  }

  get interactive(): boolean {
    return this.io.interactive;
  }

  readFile(file: string): Uint8Array {
    return file === INITRD ? this.initrd : this.io.readFile(file);
  }

  fileKind(file: string): 'file' | 'directory' | undefined {
    return file === INITRD ? 'file' : this.io.fileKind(file);
  }

  writeConsole(bytes: Uint8Array): void {
    if (this.interactive) {
      this.io.writeConsole(bytes);
      return;
    }
    // Each line feed has got a carriage return before it, whatever stood there already; one of them goes.
    const out = new Uint8Array(bytes.length + 1);
    let n = 0;
    for (const byte of bytes) {
      if (this.pending && byte !== LF) out[n++] = CR;
      this.pending = byte === CR;
      if (!this.pending) out[n++] = byte;
    }
    this.io.writeConsole(out.subarray(0, n));
  }

  openConsole(onInput: (bytes: Uint8Array) => void, onInterrupt: () => void): void {
    if (this.interactive) {
      this.io.openConsole(onInput, onInterrupt);
      return;
    }
    const deliver = (bytes: Uint8Array): void => {
      const escaped: number[] = [];
      for (const byte of bytes) {
        if (byte === END_OF_FILE || byte === LITERAL_NEXT) escaped.push(LITERAL_NEXT);
        escaped.push(byte);
      }
      onInput(Uint8Array.from(escaped));
    };
    this.io.openConsole(deliver, onInterrupt, () => onInput(Uint8Array.of(END_OF_FILE)));
  }

  close(): void {
    if (this.pending) this.io.writeConsole(Uint8Array.of(CR));
    this.pending = false;
    this.io.close();
  }

  sleep(milliseconds: number): ReturnType<RunIo['sleep']> {
    return this.io.sleep(milliseconds);
  }
}
