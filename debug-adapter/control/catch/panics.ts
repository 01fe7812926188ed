/** Notices where the guest gives up: crashes of the kernel, failed assertions of kernel and program, aborts and Rust panics, with what they said last. */
import { type ProbeRegistration } from '../../machine/probes';
import { type SymbolFile } from '../../symbols/api';
import { type Target } from '../target';

export interface Panic {
  readonly kind: 'panic' | 'assert';
  /** A sentence for people. */
  readonly text: string;
}

/** `enum ukplat_gstate` and the message levels of uk/print.h, where the debug information does not tell. */
const crashState = 3n;
const criticalLevel = 0n;
/** Integer arguments in order (System V psABI, 3.2.3). */
const argumentRegisters = ['rdi', 'rsi', 'rdx', 'rcx', 'r8', 'r9'] as const;
/** `_uk_printk(level, library, file, line, format, ...)`. */
const printParameters = { lvl: 0, srcname: 2, srcline: 3, fmt: 4 } as const;
const longestText = 400;

const kernelEnd = 'ukplat_terminate';
const printer = '_uk_printk';
const assertionPrefix = 'Assertion failure';
/** `__assert_fail(expression, file, line, function)` of musl, glibc and nolibc. */
const assertionFailed = '__assert_fail';
const otherEnds: readonly (readonly [symbol: string, text: string])[] = [
  ['abort', 'abort() was called.'],
  ['rust_panic', 'Rust panicked.'],
];

export class PanicWatch {
  #probes: ProbeRegistration[] = [];
  #lastWords: { readonly text: string; readonly isAssertion: boolean } | undefined;

  constructor(
    private readonly target: Target,
    private readonly report: (panic: Panic) => 'stop' | undefined,
  ) {}

  /** Watches the symbols that there are now; to be called again when there are more. */
  arm(): void {
    this.disarm();
    const [kernel] = this.target.symbolFiles;
    if (kernel !== undefined) this.#armKernel(kernel);
    for (const file of this.target.symbolFiles) {
      this.#probe(file, assertionFailed, () => this.report({ kind: 'assert', text: this.#assertionOfLibrary() }));
      for (const [symbol, text] of otherEnds)
        this.#probe(file, symbol, () => this.report({ kind: 'panic', text: this.#withLastWords(text) }));
    }
  }

  disarm(): void {
    for (const probe of this.#probes) probe.remove();
    this.#probes = [];
    this.#lastWords = undefined;
  }

  #armKernel(kernel: SymbolFile): void {
    const crash = kernel.enumeratorsNamed('UKPLAT_CRASH')[0]?.value ?? crashState;
    this.#probe(kernel, printer, () => {
      this.#note();
      return undefined;
    });
    this.#probe(kernel, kernelEnd, () => {
      if (BigInt.asUintN(32, this.#argument(0)) !== crash) return undefined;
      const assertion = this.#lastWords?.isAssertion === true;
      return this.report({ kind: assertion ? 'assert' : 'panic', text: this.#withLastWords('The kernel crashed.') });
    });
  }

  #probe(file: SymbolFile, name: string, handler: () => 'stop' | undefined): void {
    for (const symbol of file.symbolsNamed(name))
      if (symbol.kind === 'function') this.#probes.push(this.target.probes.add(symbol.address, handler));
  }

  /** Keeps the newest critical message. */
  #note(): void {
    if (BigInt.asIntN(32, this.#argument(printParameters.lvl)) !== criticalLevel) return;
    const format = this.#text(this.#argument(printParameters.fmt));
    const text = this.#formatted(format).trim();
    const file = this.#text(this.#argument(printParameters.srcname));
    const line = Number(BigInt.asUintN(32, this.#argument(printParameters.srcline)));
    this.#lastWords = { text: file === '' ? text : `${text} (${file}:${line})`, isAssertion: format.startsWith(assertionPrefix) };
  }

  #withLastWords(text: string): string {
    const last = this.#lastWords?.text;
    return last === undefined || last === '' ? text : last;
  }

  #assertionOfLibrary(): string {
    const [expression, file, line, name] = [
      this.#text(this.#argument(0)),
      this.#text(this.#argument(1)),
      this.#argument(2),
      this.#text(this.#argument(3)),
    ];
    return `Assertion failed: ${expression} (${file}:${BigInt.asUintN(32, line)}${name === '' ? '' : `, ${name}`})`;
  }

  /** printf's commonest conversions; others stay as they are written. */
  #formatted(format: string): string {
    let next = printParameters.fmt + 1;
    return format.replace(/%(%|(?:l|ll|z|h)?[duxX]|s|p)/g, (whole, conversion: string) => {
      if (conversion === '%') return '%';
      const value = this.#argument(next++);
      const wide = /^(l|z)/.test(conversion);
      if (conversion === 's') return this.#text(value);
      if (conversion === 'p' || /x$/i.test(conversion))
        return `${conversion === 'p' ? '0x' : ''}${(wide || conversion === 'p' ? value : BigInt.asUintN(32, value)).toString(16)}`;
      if (conversion.endsWith('u')) return String(wide ? value : BigInt.asUintN(32, value));
      return conversion.endsWith('d') ? String(BigInt.asIntN(wide ? 64 : 32, value)) : whole;
    });
  }

  /** An argument at the entry of a function: the first six in registers, the others above the return address. */
  #argument(index: number): bigint {
    const register = argumentRegisters[index];
    if (register !== undefined) return this.target.register(register);
    return this.target.readInteger(this.target.register('rsp') + 8n + 8n * BigInt(index - argumentRegisters.length), 8) ?? 0n;
  }

  #text(address: bigint): string {
    const bytes = this.target.machine.cpu.readMemory(address, longestText);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }
}
