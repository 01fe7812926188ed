/**
 * What the rest of the debug adapter sees of symbols: the types, and `SymbolFile`, the facade over one ELF file and its DWARF.
 *
 * Addresses: every address in this file is a guest virtual address as a `bigint`, that is the link address plus the file's bias.
 * Inside the folder addresses are numbers relative to the file's high half (see `image.ts`), which are exact and fast.
 * Offsets into sections, sizes, lines and columns are numbers. Lines and columns count from 1; 0 means unknown.
 *
 * Nothing here throws for what a file contains. What could not be read is absent from the answer and reported in `diagnostics()`.
 * Everything is read when first asked for: opening reads the ELF headers only.
 */
import { type ElfFile } from './elf';
import { type Supplement } from './supplement';
import { openSymbolFile } from './symbol-file';

/** A guest virtual address, 0 to 2^64 - 1. */
export type Address = bigint;

/** Half-open: `low` is inside, `high` is not. */
export interface AddressRange {
  readonly low: Address;
  readonly high: Address;
}

/** Something that could not be read, for the user or the log. */
export interface Diagnostic {
  /** Stable, for tests and filters, e.g. `dwarf-split`, `dwarf-form`, `elf-truncated`. */
  readonly code: string;
  /** A sentence saying what is wrong, where, and where possible what to do. */
  readonly message: string;
  readonly section?: string;
  /** Byte offset in that section, or in the file where `section` is absent. */
  readonly offset?: number;
}

/** An entry of the ELF symbol table (System V ABI, "Symbol Table"). */
export interface NamedSymbol {
  readonly name: string;
  /** `label` is a symbol of no type, as assembly leaves them; `tls` symbols have a TLS offset as their address, without the bias. */
  readonly kind: 'function' | 'data' | 'tls' | 'label' | 'ifunc';
  readonly address: Address;
  /** Bytes; 0 where the file does not say. */
  readonly size: number;
  readonly binding: 'local' | 'global' | 'weak';
  /** Name of the section it lies in; empty for absolute symbols. */
  readonly section: string;
  /** Name of the preceding STT_FILE symbol for local symbols. */
  readonly file?: string;
}

/** A compilation unit of .debug_info. */
export interface CompilationUnit {
  /** Position in `SymbolFile.units()`. */
  readonly index: number;
  /** DW_AT_name, as recorded. */
  readonly name: string;
  /** DW_AT_comp_dir, or empty. */
  readonly directory: string;
  /** Name and directory joined and normalised. */
  readonly path: string;
  readonly producer: string;
  /** DW_LANG_ code (DWARF 5, section 7.12). */
  readonly languageCode: number;
  readonly language: Language;
  readonly version: number;
  /** The micro-library the unit belongs to, from its path in Unikraft's layout: `libuksched`, `libmusl`, `apphelloworld`; else its directory's name. */
  readonly library: string;
  /** Sorted, not overlapping. */
  readonly ranges: readonly AddressRange[];
}

export type Language = 'c' | 'c++' | 'rust' | 'go' | 'assembly' | 'other';

export interface SourceFile {
  /** Absolute where the compilation directory is known, normalised (no `.`, `..`, `//`). The file's identity. */
  readonly path: string;
  /** Hexadecimal MD5 of the text, where DWARF 5 recorded it. */
  readonly md5?: string;
}

export interface SourcePosition {
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** One row of the line number table with the addresses that it covers (DWARF 5, section 6.2.2). */
export interface LineRow extends SourcePosition {
  readonly low: Address;
  /** Address of the next row of the sequence. */
  readonly high: Address;
  readonly isStmt: boolean;
  readonly prologueEnd: boolean;
  readonly discriminator: number;
}

/** Where a breakpoint asked for by source position can go. */
export interface BreakpointSite extends SourcePosition {
  readonly address: Address;
  /** Name of the function or inlined function there, or empty. */
  readonly functionName: string;
}

export interface FunctionInfo {
  /** Offset of the DIE in .debug_info; the identity within a file. */
  readonly id: number;
  readonly name: string;
  /** With namespaces and classes: `core::fmt::write`, `Widget::draw`. */
  readonly qualifiedName: string;
  /** DW_AT_linkage_name: the symbol as the linker sees it. */
  readonly linkageName?: string | undefined;
  readonly unit: CompilationUnit;
  /** Empty for a function that exists only inlined. */
  readonly ranges: readonly AddressRange[];
  /** DW_AT_entry_pc or the first range's low; absent for a function that exists only inlined. */
  readonly entry?: Address | undefined;
  readonly declaration?: SourcePosition | undefined;
  readonly external: boolean;
  readonly noreturn: boolean;
  /** Lazily read; `void` where the function returns nothing. */
  readonly returnType: Type;
  /** Formal parameters in order. */
  readonly parameters: readonly Variable[];
  readonly variadic: boolean;
  /** The compiler gave it a way of its own to take arguments and return a value (DW_CC_nocall; DWARF 5, section 3.3.1.1). */
  readonly ownConvention: boolean;
}

/** One symbolic frame at a pc: the concrete function, or one of the functions inlined into it there. */
export interface SymbolicFrame {
  readonly function: FunctionInfo;
  readonly inlined: boolean;
  /** Ranges of this (inlined) instance. */
  readonly ranges: readonly AddressRange[];
  /** Where execution is in this frame: the line row for the innermost, the call of the next inner frame for the others. */
  readonly position?: SourcePosition;
  /** For an inlined frame: where it is called from, in the next outer frame. */
  readonly callSite?: SourcePosition;
  /** For an inlined frame: the address at which a breakpoint on entering it belongs. */
  readonly entry?: Address | undefined;
}

/** A lexical block of a frame, innermost first; the outermost one is the function itself and holds its parameters. */
export interface Scope {
  readonly kind: 'block' | 'function' | 'inlined' | 'catch';
  readonly ranges: readonly AddressRange[];
  readonly variables: readonly Variable[];
}

export interface Variable {
  /** Offset of the DIE in .debug_info. */
  readonly id: number;
  readonly name: string;
  /** With namespaces: for globals of C++, Rust and Go. */
  readonly qualifiedName: string;
  /** `static` is a variable of static storage inside a function. */
  readonly kind: 'parameter' | 'local' | 'static' | 'global';
  readonly type: Type;
  readonly declaration?: SourcePosition | undefined;
  /** Visible outside its unit. */
  readonly external: boolean;
  /** Made by the compiler, e.g. `this`. */
  readonly artificial: boolean;
  /** Its location expression goes through the thread's TLS block. */
  readonly threadLocal: boolean;
  readonly unit: CompilationUnit;
  /** How it is found; give it to `SymbolFile.locate`. */
  readonly location: VariableLocation;
}

/** DW_AT_location or DW_AT_const_value. Expressions are raw bytes of DWARF operations. */
export type VariableLocation =
  | { readonly kind: 'none' }
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'list'; readonly entries: readonly LocationListEntry[] };

export interface LocationListEntry extends Partial<AddressRange> {
  /** The default entry applies where no bounded one does and has no `low` and `high`. */
  readonly isDefault: boolean;
  readonly expression: Expression;
}

/** A DWARF expression with what is needed to decode it; opaque to callers but for `bytes`. */
export interface Expression {
  readonly bytes: Uint8Array;
  /** Offset of the unit's header in .debug_info, for operations that name DIEs or indexed addresses; -1 in CFI. */
  readonly unitOffset: number;
  /** DIE offset of the function whose frame base DW_OP_fbreg means; absent for globals. */
  readonly frame?: number;
}

/** What the evaluation of expressions may ask of the stopped machine; all for one frame. */
export interface EvaluationContext {
  /** The pc to choose location list entries by: for callers' frames the return address minus 1. */
  readonly pc: Address;
  /** Bytes at a guest virtual address, or undefined where it is not mapped. */
  readMemory(address: Address, length: number): Uint8Array | undefined;
  /** A register of this frame by DWARF number (psABI, figure 3.36), unsigned, at its full width (xmm: 128 bits); undefined where unknown. */
  register(dwarfNumber: number): bigint | undefined;
  /** Canonical frame address of this frame. */
  cfa?(): Address | undefined;
  /** Overrides the evaluation of the function's DW_AT_frame_base. */
  frameBase?(): Address | undefined;
  /** Start of this file's TLS block of the frame's thread; see `SymbolFile.tlsBlockBase`. */
  tlsBase?(): Address | undefined;
  /** What the operations would give on entry to this frame's function: look up the caller's call site (`CallSite.values`). */
  entryValue?(operations: Uint8Array): bigint | undefined;
  /** What the caller's call site says of a parameter that was optimised away, by the offset of the parameter's DIE (DW_OP_GNU_parameter_ref). */
  parameterValue?(parameter: number): bigint | undefined;
  /** DW_OP_push_object_address. */
  readonly objectAddress?: Address;
}

/** Where an object is, or what it is. */
export type Location =
  | { readonly kind: 'memory'; readonly address: Address }
  | { readonly kind: 'register'; readonly register: number }
  /** A value that is nowhere: assignments are refused. `bytes` are little-endian. */
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  /** A pointer that was optimised away, to an object that is known: locate(`target`) and add `offset` bytes. */
  | { readonly kind: 'implicit-pointer'; readonly target: Variable | undefined; readonly offset: number }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'optimized-out' }
  /** The expression or the context does not allow an answer; `message` says why. */
  | { readonly kind: 'error'; readonly message: string };

export interface Piece {
  /** Never `pieces`. */
  readonly location: Location;
  readonly bitSize: number;
  /** DW_OP_bit_piece: bits to skip in the location. */
  readonly bitOffset: number;
}

interface TypeCommon {
  /** Offset of the DIE in .debug_info, -1 for `void`: the identity within a file (types of type units included). */
  readonly id: number;
  /** As declared, without `struct`/`enum`; undefined where anonymous. `typeName` spells any type. */
  readonly name?: string;
  /** Undefined where incomplete or not stated. */
  readonly byteSize?: number;
  readonly declaration?: SourcePosition | undefined;
  readonly language: Language;
}

export type Type =
  | BaseType
  | PointerType
  | StructType
  | ArrayType
  | EnumType
  | TypedefType
  | QualifiedType
  | FunctionType
  | PointerToMemberType
  | SubrangeType
  | UnspecifiedType;

export interface BaseType extends TypeCommon {
  readonly kind: 'base';
  readonly byteSize: number;
  readonly encoding:
    'boolean' | 'signed' | 'unsigned' | 'float' | 'complex' | 'signed-char' | 'unsigned-char' | 'utf' | 'decimal' | 'address' | 'other';
  readonly bigEndian: boolean;
}
export interface PointerType extends TypeCommon {
  readonly kind: 'pointer';
  readonly byteSize: number;
  readonly reference: 'none' | 'lvalue' | 'rvalue';
  readonly target: Type;
}
export interface StructType extends TypeCommon {
  readonly kind: 'struct' | 'class' | 'union';
  /** Declared here, defined in another unit that `SymbolFile.completeType` may find. */
  readonly incomplete: boolean;
  readonly qualifiedName?: string;
  readonly members: readonly Member[];
  /** Passed and returned in memory whatever its layout (DW_CC_pass_by_reference; DWARF 5, section 5.7.1). */
  readonly passedByReference?: boolean;
  /** Base classes, in order. */
  readonly bases: readonly Member[];
  /** Static members. */
  readonly statics: readonly Variable[];
  /** Rust's enums and other variant records (DWARF 5, section 5.7.10). */
  readonly variantPart?: VariantPart;
  readonly templateArguments: readonly { readonly name: string; readonly type?: Type; readonly value?: bigint }[];
}
export interface Member {
  /** Empty for anonymous structs and unions, whose members count as the outer one's. */
  readonly name: string;
  readonly type: Type;
  /** Bytes from the start of the struct to the storage; for bitfields to the byte that holds the first bit. */
  readonly offset: number;
  /** A bitfield of so many bits, beginning `bitOffset` bits above bit 0 of the byte at `offset` (little-endian). */
  readonly bitSize?: number;
  readonly bitOffset?: number;
  /** Where the offset must be computed, e.g. virtual bases: evaluate with the object's address pushed; the result is an address. */
  readonly dynamicOffset?: Expression;
  readonly artificial: boolean;
}
export interface VariantPart {
  readonly discriminant?: Member;
  readonly variants: readonly {
    /** Discriminant values, as ranges with both ends inside; empty for the default variant. */
    readonly values: readonly { readonly low: bigint; readonly high: bigint }[];
    readonly members: readonly Member[];
  }[];
}
export interface ArrayType extends TypeCommon {
  readonly kind: 'array';
  readonly element: Type;
  readonly dimensions: readonly ArrayDimension[];
  /** DW_AT_GNU_vector. */
  readonly vector: boolean;
}
export interface ArrayDimension {
  readonly lower: bigint;
  /** Undefined for `[]` and where it must be computed. */
  readonly count?: bigint;
  /** A variable-length array: `SymbolFile.evaluateCount`. */
  readonly dynamicCount?: DynamicValue;
}
/** A number known only at run time; `isUpperBound` when it is the last index, else it is the count. */
export interface DynamicValue {
  readonly isUpperBound: boolean;
  readonly expression?: Expression;
  readonly variable?: Variable;
}
export interface EnumType extends TypeCommon {
  readonly kind: 'enum';
  readonly qualifiedName?: string;
  readonly underlying?: Type;
  readonly signed: boolean;
  readonly incomplete: boolean;
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
}
export interface TypedefType extends TypeCommon {
  readonly kind: 'typedef';
  readonly target: Type;
}
export interface QualifiedType extends TypeCommon {
  readonly kind: 'qualified';
  readonly qualifier: 'const' | 'volatile' | 'restrict' | 'atomic' | 'immutable' | 'shared' | 'packed';
  readonly target: Type;
}
export interface FunctionType extends TypeCommon {
  readonly kind: 'function';
  readonly returns: Type;
  readonly parameters: readonly Type[];
  readonly variadic: boolean;
}
export interface PointerToMemberType extends TypeCommon {
  readonly kind: 'pointer-to-member';
  readonly target: Type;
  readonly container: Type;
}
export interface SubrangeType extends TypeCommon {
  readonly kind: 'subrange';
  readonly underlying?: Type;
  readonly lower?: bigint;
  readonly upper?: bigint;
}
export interface UnspecifiedType extends TypeCommon {
  /** `void` is the absence of a type; `unspecified` has a name (`decltype(nullptr)`); `unknown` could not be read. */
  readonly kind: 'void' | 'unspecified' | 'unknown';
}

/** A call in a function, for entry values and tail calls (DWARF 5, section 3.4). */
export interface CallSite {
  /** Address after the call instruction. */
  readonly returnAddress: Address;
  readonly tailCall: boolean;
  /** Statically known callee. */
  readonly callee?: FunctionInfo;
  /** Where the static callee's code begins: several where the compiler made clones of it, none where it lies in another file. */
  readonly calleeEntries: readonly Address[];
  /** Computes the callee's address in the caller's context. */
  readonly target?: Expression;
  /**
   * `location`: operations naming where the parameter was passed (compare with entryValue's); `parameter`: offset of the DIE of one that is not passed
   * at all (compare with parameterValue's); `value`: evaluate in the caller's context.
   */
  readonly values: readonly { readonly location?: Uint8Array; readonly parameter?: number; readonly value: Expression }[];
}

/** How to find a caller's register (DWARF 5, section 6.4.1). */
export type RegisterRule =
  | { readonly kind: 'undefined' | 'same' }
  /** Saved at CFA + offset (`offset`), or the value CFA + offset itself (`val-offset`). */
  | { readonly kind: 'offset' | 'val-offset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  /** Address of the saved value (`expression`), or the value itself (`val-expression`); the CFA is pushed first. */
  | { readonly kind: 'expression' | 'val-expression'; readonly expression: Expression };

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly expression: Expression };

/** The row of the call frame information that holds at a pc. */
export interface UnwindRow extends AddressRange {
  readonly cfa: CfaRule;
  /** By DWARF register number; a register without a rule keeps its value, if callee-saved. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  readonly returnAddressRegister: number;
  /** Augmentation `S`: the pc of this frame is that of an interrupted instruction; do not subtract 1 from the caller's. */
  readonly signalFrame: boolean;
  readonly section: '.debug_frame' | '.eh_frame';
  /** Range of the whole frame description entry. */
  readonly function: AddressRange;
}

/** The caller's state as far as the rules give it; `registers` holds the return address under `returnAddressRegister` too. */
export interface UnwoundFrame {
  readonly cfa: Address;
  readonly returnAddress?: Address;
  readonly registers: ReadonlyMap<number, bigint>;
  /** Where each saved register lies, so that it can be edited. */
  readonly savedAt: ReadonlyMap<number, Address>;
  /** Registers whose rule is `undefined`: lost. A lost return address marks the outermost frame. */
  readonly lost: ReadonlySet<number>;
}

export interface Macro {
  readonly name: string;
  /** `undefined` for object-like macros. */
  readonly parameters?: readonly string[];
  readonly body: string;
  /** Absent for macros from the command line or built in. */
  readonly definedAt?: SourcePosition;
}

/** The thread-local storage template (PT_TLS). */
export interface TlsTemplate {
  readonly image: AddressRange;
  /** Size in memory and alignment, bytes. */
  readonly size: number;
  readonly alignment: number;
}

export interface FunctionQuery {
  /** Looked at between steps of a search: it ends with what it has found once that is cancelled. */
  readonly search?: { readonly cancelled: boolean };
  /** Plain name, qualified name or linkage name; or an expression tested against plain and qualified names. */
  readonly name: string | RegExp;
  /** Only functions of units of this micro-library. */
  readonly library?: string;
  /** At most so many answers (default 1000). */
  readonly limit?: number;
}

/** One ELF file with its symbols and DWARF, placed at a bias. Views of the same file at other biases share all that was read. */
export interface SymbolFile {
  readonly name: string;
  /** Guest address minus link address. */
  readonly bias: bigint;
  readonly elf: ElfFile;
  /** NT_GNU_BUILD_ID in hexadecimal. */
  readonly buildId?: string | undefined;
  readonly hasDwarf: boolean;
  /** What could not be read so far, in order of discovery; at most some hundreds are kept. */
  diagnostics(): readonly Diagnostic[];
  /** The same file elsewhere, sharing the indexes. */
  at(bias: bigint): SymbolFile;
  /** Does some loaded segment hold the address? */
  covers(address: Address): boolean;
  /** Bytes of the file behind an address (PT_LOAD contents), shorter at a segment's end. */
  readImage(address: Address, length: number): Uint8Array | undefined;
  /** Whether an executable section holds the address; without sections everything is taken for code. */
  isCode(address: bigint): boolean;
  sectionAt(address: Address): string | undefined;

  // Symbols of the symbol table (.symtab, else .dynsym).
  symbols(): Iterable<NamedSymbol>;
  /** The symbol whose extent holds the address; a symbol of size 0 reaches to the next one. Functions win over labels. */
  symbolAt(address: Address): NamedSymbol | undefined;
  symbolsNamed(name: string): readonly NamedSymbol[];
  searchSymbols(pattern: RegExp, limit?: number): readonly NamedSymbol[];

  // Units, sources and lines.
  units(): readonly CompilationUnit[];
  unitAt(address: Address): CompilationUnit | undefined;
  /** Every file of every line table, sorted by path. */
  sources(): readonly SourceFile[];
  /** Files whose path is `path`, else those that end with `/path`. */
  sourcesNamed(path: string): readonly SourceFile[];
  lineAt(address: Address): LineRow | undefined;
  /** All rows of the unit holding the address, in sequence order: for mixed disassembly, stepping and coverage. */
  lineRows(unit: CompilationUnit): readonly LineRow[];
  /** The rows of the same function around the address that belong to its line: what a step over the line must leave. */
  lineExtent(address: Address): readonly AddressRange[];
  /**
   * Where to put a breakpoint for a source line (and column): one site per function instance, past the prologue when the line is the function's own,
   * at the nearest following line that has code when the line has none (at most 64 lines on, within the same function).
   */
  breakpointSites(path: string, line: number, column?: number): readonly BreakpointSite[];
  /** Every position with an is_stmt row in the given lines (both inside). */
  breakpointLocations(path: string, fromLine: number, toLine: number): readonly SourcePosition[];

  // Functions, frames, scopes.
  functionAt(address: Address): FunctionInfo | undefined;
  functions(query: FunctionQuery): readonly FunctionInfo[];
  /** Sites for a breakpoint on a function: past the prologue of the concrete instance, and the entries of all inlined ones. */
  /**
   * Addresses for breakpoints on the functions of a query: past the prologues of their code, and where they were inlined. Large files take seconds, so it comes
   * in steps, each yielding the share that is done.
   */
  functionAddresses(query: FunctionQuery): Generator<number, readonly Address[]>;
  functionSites(fn: FunctionInfo): readonly BreakpointSite[];
  /** First address past the prologue of the function holding the address; the entry itself where none is recorded. */
  prologueEnd(entry: Address): Address;
  /** Innermost inlined function first, the concrete function last; empty where no DWARF covers the pc. */
  framesAt(pc: Address): readonly SymbolicFrame[];
  /** Scopes of frame `frameIndex` of `framesAt(pc)`, innermost block first. */
  scopesAt(pc: Address, frameIndex?: number): readonly Scope[];
  /** Call site whose return address this is. */
  callSiteAt(returnAddress: Address): CallSite | undefined;
  /** Call sites of the function holding the address: tail calls for the unwinder. */
  callSites(address: Address): readonly CallSite[];

  // Data.
  /** Variables of static storage outside functions, of one unit. */
  globals(unit: CompilationUnit): readonly Variable[];
  /** Globals of this name in all units; those of `unit` first. */
  globalsNamed(name: string, unit?: CompilationUnit): readonly Variable[];
  threadLocals(): readonly Variable[];
  tls(): TlsTemplate | undefined;
  /** Where the executable's own TLS block lies for a thread pointer (x86-64: TLS variant II, the block ends at FS base). */
  tlsBlockBase(threadPointer: Address): Address | undefined;
  /** Complete types of this name (`struct x`, `enum x`, `x`, `ns::x`); those of `unit` first. */
  typesNamed(name: string, unit?: CompilationUnit): readonly Type[];
  /** Names of types that begin like this, without namespaces, at most `limit`. */
  typeNames(prefix: string, limit: number): readonly string[];
  /** The definition behind a declaration (`struct x;`), or the type itself. */
  completeType(type: Type): Type;
  typeById(id: number): Type | undefined;
  /** The type that Go's runtime describes at an address, as the word of an interface has it. */
  goRuntimeType(address: bigint): Type | undefined;
  enumeratorsNamed(name: string, unit?: CompilationUnit): readonly { readonly type: EnumType; readonly value: bigint }[];
  locate(variable: Variable, context: EvaluationContext): Location;
  evaluate(expression: Expression, context: EvaluationContext, initial?: readonly bigint[]): Location;
  evaluateCount(value: DynamicValue, context: EvaluationContext): bigint | undefined;

  // Unwinding.
  unwindRule(pc: Address): UnwindRow | undefined;
  /** Applies a row in the callee's context; undefined where the CFA cannot be computed. */
  unwind(row: UnwindRow, context: EvaluationContext): UnwoundFrame | undefined;

  // Macros.
  /** Definition in force at the end of the unit; -g3 only. */
  macroNamed(name: string, unit: CompilationUnit): Macro | undefined;
  macros(unit: CompilationUnit): Iterable<Macro>;

  /** Reads all that lookups by name need, in steps of some milliseconds; yields the share done, 0 to 1. May be abandoned at any time. */
  warm(): Generator<number, void>;
}

export interface OpenOptions {
  /** For messages and module lists: usually the path. */
  readonly name: string;
  /** Guest address minus link address (default 0). */
  readonly bias?: bigint;
  /** The file that the bytes hold the debug information of, where those were parted: its code and `.eh_frame` are used. Default: the bytes hold everything. */
  readonly stripped?: Uint8Array;
  /** The file that the bytes share DWARF in with other files, where they name one. */
  readonly supplement?: Supplement;
}

/** The facade's constructor: `SymbolFile.open(bytes, { name, bias })`. The bytes are kept, not copied. */
export const SymbolFile: { open(bytes: Uint8Array, options: OpenOptions): SymbolFile } = { open: openSymbolFile };

export { parseElf, type ElfFile } from './elf';
export { SourcePathMap, type SourcePathRule } from './source-paths';
export { type Supplement, packagedDebugFolders, findSupplement } from './supplement';
export { dwarfRegisterName, dwarfRegisterNumber } from './registers';
export { readLocation, sliceLocation } from './read-location';
export { stripType, typeName } from './type-names';
