/** The seam between the x87 unit and the processor around it. */

/** What the unit asks of the processor around it. Loads and stores may throw the guest's fault; nothing of the unit's state is changed before. */
export interface X87Port {
  /** 128 bytes between memory and the unit. */
  readonly operand: DataView;
  /** Reads `size` bytes at the instruction's effective address plus `offset` into the start of `operand`, or to `offset` of it. */
  load(size: number): void;
  /** Writes the first `size` bytes of `operand` to the effective address. */
  store(size: number): void;
  /** Faults as a store of `size` bytes would, without storing. */
  checkStore(size: number): void;
  /** RFLAGS bits CF (0), PF (2) and ZF (6). */
  arithmeticFlags(): number;
  /** Sets ZF, PF and CF from the same bits and clears OF, SF and AF (FCOMI family). */
  setCompareFlags(bits: number): void;
  setAx(value: number): void;
  /** 16-bit operand size: the short form of environments. */
  readonly operand16: boolean;
  /** Real-address or virtual-8086 mode: environments hold linear addresses instead of selectors. */
  readonly realFormat: boolean;
  /** Linear offset of the instruction, and the effective address of its operand when it has one. */
  readonly instructionPointer: bigint;
  readonly dataPointer: bigint;
}
