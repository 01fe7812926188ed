/** gdb attached to a machine of this process through our own server, asked at every stop what it sees: the measure for frames and values. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { GdbServer } from '../../../debug-adapter/gdb/server';
import { type PcMachine } from '../../../debug-adapter/machine/machine';

/** A value without structure as both sides spell it: a number, `0x…`, `true`, or why there is none in angle brackets. */
export type Leaf = readonly [path: string, text: string];

export interface PeerVariable {
  readonly name: string;
  readonly parameter: boolean;
  readonly leaves: readonly Leaf[];
}

/** One frame as gdb has it. */
export interface PeerFrame {
  readonly name: string | null;
  readonly pc: string;
  readonly line: number;
  readonly file: string;
  readonly kind: 'normal' | 'inlined' | 'signal' | 'tail-call';
  readonly variables: readonly PeerVariable[];
}

export interface PeerStop {
  readonly frames: readonly PeerFrame[];
  /** Why gdb's unwinding ended. */
  readonly end: string;
}

/** Most leaves of one variable, elements of one array, and levels of nesting that are compared. */
export const leafLimits = { leaves: 12, elements: 4, depth: 3 };

/** gdb's own Python: every frame with its variables, as one line of JSON. Names that an inner block hides count once, as the inner one. */
const script = (frames: number): string => `
import json
KINDS = {gdb.INLINE_FRAME: 'inlined', gdb.SIGTRAMP_FRAME: 'signal', gdb.TAILCALL_FRAME: 'tail-call'}
MASK = (1 << 64) - 1
def scalar(v, t):
    c = t.code
    if c == gdb.TYPE_CODE_FLT: return 'f' + repr(float(v))
    if c == gdb.TYPE_CODE_BOOL: return 'true' if int(v) else 'false'
    if c == gdb.TYPE_CODE_PTR and 'synthetic' in str(v): return '<synthetic pointer>'
    if c in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_MEMBERPTR): return hex(int(v) & MASK)
    if c in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF): return hex(int(v.referenced_value().address) & MASK)
    if c == gdb.TYPE_CODE_COMPLEX: return v.format_string()
    if c in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_RANGE):
        # Its Python has no integers of 16 bytes.
        return str(int(v)) if t.sizeof <= 8 else str(int(v.format_string(format='x'), 16))
    return '?' + str(c)
def walk(v, path, depth, out):
    if len(out) >= ${leafLimits.leaves}: return
    try:
        t = v.type.strip_typedefs()
        # Of an aggregate it tells of any part.
        aggregate = t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY)
        if not aggregate and v.is_optimized_out:
            out.append((path, '<gone>'))
        elif t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            if depth >= ${leafLimits.depth}: return
            # Of a tagged union the tag, which nobody declared, and the variant that is held. Asked for that by name, gdb may end.
            tagged = any(f.artificial and f.name is None for f in t.fields())
            if tagged and (v.address is None or int(v.address) == 0):
                out.append((path, '<in registers>'))
                return
            for f in t.fields():
                if not hasattr(f, 'bitpos') or tagged and f.artificial: continue
                if tagged:
                    place = v.address.cast(gdb.lookup_type('unsigned long')) + f.bitpos // 8
                    walk(place.cast(f.type.pointer()).dereference(), path + '.' + (f.name or ''), depth + 1, out)
                    continue
                walk(v[f], path + '.' + ((f.name or '') if not f.is_base_class else ''), depth + 1, out)
        elif t.code == gdb.TYPE_CODE_ARRAY:
            if depth >= ${leafLimits.depth}: return
            low, high = t.range()
            for i in range(low, min(high, low + ${leafLimits.elements - 1}) + 1): walk(v[i], '%s[%d]' % (path, i), depth + 1, out)
        else: out.append((path, scalar(v, t)))
    except gdb.MemoryError: out.append((path, '<memory>'))
    except gdb.error as e:
        s = str(e)
        out.append((path, '<gone>' if 'optimized out' in s or 'not saved' in s else '<memory>' if 'access memory' in s else '<' + s + '>'))
    except OverflowError as e: out.append((path, '<overflow>'))
    # What a reference is to that lies nowhere has no address.
    except TypeError: out.append((path, '<synthetic pointer>'))
def names_no_variable(s):
    # Labels, and the enumerators of an enumeration that a function declares.
    if s.addr_class == gdb.SYMBOL_LOC_LABEL or s.symtab is not None and gdb.lookup_symbol(s.name, gdb.selected_frame().block(), gdb.SYMBOL_LABEL_DOMAIN)[0] is not None: return True
    return s.is_constant and s.type.code == gdb.TYPE_CODE_ENUM and any(e.name == s.name for e in s.type.fields())
def variables(f):
    out, seen = [], set()
    try: b = f.block()
    except RuntimeError: return out
    while b is not None:
        for s in b:
            if (s.is_variable or s.is_argument or s.is_constant) and not names_no_variable(s) and s.name not in seen:
                seen.add(s.name)
                leaves = []
                try: walk(s.value(f), '', 0, leaves)
                except gdb.error as e: leaves = [('', '<gone>' if 'optimized out' in str(e) else '<' + str(e) + '>')]
                out.append({'name': s.name, 'parameter': s.is_argument, 'leaves': leaves})
        if b.function is not None: break
        b = b.superblock
    return out
def stop():
    gdb.execute('maintenance flush register-cache', to_string=True)
    gdb.execute('maintenance flush dcache', to_string=True)
    frames, end = [], ''
    try: f = gdb.newest_frame()
    except gdb.error as e: f, end = None, str(e)
    while f is not None and len(frames) < ${frames}:
        try:
            sal = f.find_sal()
            # Lengths of arrays that are not constant are computed in the selected frame.
            f.select()
            frames.append({'name': f.name(), 'pc': hex(f.pc()), 'line': sal.line, 'file': sal.symtab.filename if sal.symtab else '',
                'kind': KINDS.get(f.type(), 'normal'), 'variables': variables(f)})
            last, f = f, f.older()
            if f is None: end = gdb.frame_stop_reason_string(last.unwind_stop_reason())
        except gdb.error as e: f, end = None, str(e)
    print('@@' + json.dumps({'frames': frames, 'end': end}))
def finish():
    gdb.execute('maintenance flush register-cache', to_string=True)
    gdb.execute('maintenance flush dcache', to_string=True)
    leaves, text = [], ''
    marker = gdb.add_history(gdb.Value(0))
    try:
        gdb.execute('finish')
        value = gdb.history(marker + 1)
        text = str(value)
        walk(value, '', 0, leaves)
    except gdb.error as e: text = str(e) + ' ' + str(gdb.execute('bt 3', to_string=True))
    print('@@' + json.dumps({'leaves': leaves, 'text': text}))
`;

const settings = [
  'set pagination off',
  'set width 0',
  'set confirm off',
  'set backtrace past-main on',
  'set backtrace past-entry on',
  'set stack-cache off',
  'set code-cache off',
  'set print entry-values no',
];

/** One gdb, attached. The caller runs the machine itself; gdb is told each time to forget what it read. */
export class GdbPeer {
  #text = '';
  #errors = '';
  #waiting: ((line: string) => void) | undefined;
  #failed: (() => void) | undefined;

  private constructor(
    private readonly gdb: ChildProcessWithoutNullStreams,
    private readonly listener: Server,
    readonly server: GdbServer,
  ) {
    gdb.stdout.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    gdb.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
      // An exception that the script does not catch leaves the question without an answer.
      if (text.includes('Error while executing Python code')) this.#failed?.();
    });
  }

  /** Boots with `boot` and attaches gdb with the symbols of `symbols`; `frames` is the most frames of an answer. */
  static async attach(boot: () => PcMachine, symbols: string, frames: number): Promise<GdbPeer> {
    const server = new GdbServer({
      boot,
      host: {
        now: () => performance.now(),
        later: (milliseconds, callback) => {
          const timer = setTimeout(callback, milliseconds);
          return () => clearTimeout(timer);
        },
      },
      clock: 'skip',
      onEnd: () => undefined,
      log: () => undefined,
    });
    const listener = createServer((socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      const connection = server.connect({ send: (bytes) => void socket.write(bytes), close: () => socket.end() });
      if (connection === undefined) return void socket.destroy();
      socket.on('data', (bytes) => connection.receive(bytes));
      socket.on('close', () => connection.closed());
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const peer = new GdbPeer(spawn('gdb', ['-nx', '-q', symbols], { stdio: 'pipe' }), listener, server);
    for (const line of settings) await peer.command(line);
    await peer.command(`target remote 127.0.0.1:${port}`);
    // A blank line ends a multi-line python command's block.
    peer.gdb.stdin.write(`python\n${script(frames)}\nend\n`);
    await peer.command('echo');
    return peer;
  }

  /** Gives a command and waits for its end; answers are dropped. */
  async command(text: string): Promise<void> {
    await this.#ask(`${text}\npython print('@@{}')\n`);
  }

  /** What a command prints. */
  async output(command: string): Promise<string> {
    const answer = await this.#ask(`python print('@@' + json.dumps({'text': gdb.execute(${JSON.stringify(command)}, to_string=True)}))\n`);
    return (JSON.parse(answer) as { readonly text: string }).text;
  }

  addSymbols(path: string, bias: bigint): Promise<void> {
    return this.command(`add-symbol-file ${path} -o 0x${bias.toString(16)}`);
  }

  async stop(): Promise<PeerStop> {
    return JSON.parse(await this.#ask('python stop()\n')) as PeerStop;
  }

  /** Finishes the function of the innermost frame: the value returned, where gdb tells one. */
  async finish(): Promise<{ readonly leaves: readonly Leaf[]; readonly text: string }> {
    return JSON.parse(await this.#ask('python finish()\n')) as { leaves: Leaf[]; text: string };
  }

  /** What gdb complained of. */
  get errors(): string {
    return this.#errors;
  }

  close(): void {
    this.gdb.kill('SIGKILL');
    this.listener.close();
  }

  #ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`gdb ended: ${this.#errors}`));
      this.gdb.once('exit', gone);
      this.#failed = () => reject(new Error(`gdb cannot say: ${this.#errors}`));
      this.#waiting = (line) => {
        this.gdb.off('exit', gone);
        resolve(line);
      };
      this.gdb.stdin.write(text);
    });
  }

  #receive(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      const at = line.indexOf('@@{');
      if (at >= 0) this.#waiting?.(line.slice(at + 2));
    }
  }
}
