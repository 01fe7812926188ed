/** Assembles a WebAssembly module: types, imports, functions, exports, element, data and custom sections (core specification, section 5.5). */

import { Bytes, type Code } from './code';
import { valueTypes, type ValueType } from './opcodes';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Function indices count imports first; declare all imports before the first function. */
export class ModuleBuilder {
  readonly #types: FunctionType[] = [];
  readonly #typeKeys = new Map<string, number>();
  readonly #imports: { module: string; name: string; descriptor: Uint8Array }[] = [];
  readonly #functions: { type: number; code: Code | Uint8Array; hints: Uint32Array }[] = [];
  #tableSize: number | undefined;
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #elements: { table: number; offset: number | 'base'; functions: readonly number[] }[] = [];
  readonly #data: { address: number; bytes: Uint8Array }[] = [];
  readonly #custom: { name: string; data: Uint8Array }[] = [];
  #importedFunctions = 0;
  #importedGlobals = 0;

  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#typeKeys.get(key);
    if (known !== undefined) return known;
    this.#types.push({ params, results });
    this.#typeKeys.set(key, this.#types.length - 1);
    return this.#types.length - 1;
  }

  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    const out = new Bytes();
    out.byte(0);
    out.u32(this.type(params, results));
    this.#imports.push({ module, name, descriptor: out.view() });
    return this.#importedFunctions++;
  }

  importMemory(module: string, name: string, minPages: number): void {
    const out = new Bytes();
    out.byte(2);
    out.byte(0);
    out.u32(minPages);
    this.#imports.push({ module, name, descriptor: out.view() });
  }

  importTable(module: string, name: string): void {
    const out = new Bytes();
    out.byte(1);
    out.byte(0x70);
    out.byte(0);
    out.u32(0);
    this.#imports.push({ module, name, descriptor: out.view() });
  }

  /** An immutable i32 global. */
  importGlobal(module: string, name: string): number {
    const out = new Bytes();
    out.byte(3);
    out.byte(valueTypes.i32);
    out.byte(0);
    this.#imports.push({ module, name, descriptor: out.view() });
    return this.#importedGlobals++;
  }

  /** A table of the module's own for so many functions, in place of an imported one. */
  table(size: number): void {
    this.#tableSize = size;
  }

  /**
   * @param code what it does, or its body as `Code.body` has it.
   * @param hints what is known of that body's branches, as `Code.hints` has it.
   */
  func(type: number, code: Code | Uint8Array, hints: Uint32Array = new Uint32Array()): number {
    this.#functions.push({ type, code, hints: code instanceof Uint8Array ? hints : code.hints() });
    return this.#importedFunctions + this.#functions.length - 1;
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: 0, index });
  }

  /** Fills the table from `offset` ('base': the value of imported global 0) with functions. */
  elements(offset: number | 'base', functions: readonly number[]): void {
    this.#elements.push({ table: 0, offset, functions });
  }

  /** Puts bytes into the memory at instantiation. */
  data(address: number, bytes: Uint8Array): void {
    this.#data.push({ address, bytes });
  }

  custom(name: string, data: Uint8Array): void {
    this.#custom.push({ name, data });
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
    const section = (id: number, write: (body: Bytes) => void): void => {
      const body = new Bytes();
      write(body);
      out.byte(id);
      out.u32(body.length);
      out.append(body.view());
    };
    const name = (body: Bytes, text: string): void => {
      const bytes = new TextEncoder().encode(text);
      body.u32(bytes.length);
      body.append(bytes);
    };
    section(1, (body) => {
      body.u32(this.#types.length);
      for (const type of this.#types) {
        body.byte(0x60);
        for (const list of [type.params, type.results]) {
          body.u32(list.length);
          for (const value of list) body.byte(valueTypes[value]);
        }
      }
    });
    section(2, (body) => {
      body.u32(this.#imports.length);
      for (const entry of this.#imports) {
        name(body, entry.module);
        name(body, entry.name);
        body.append(entry.descriptor);
      }
    });
    section(3, (body) => {
      body.u32(this.#functions.length);
      for (const entry of this.#functions) body.u32(entry.type);
    });
    const size = this.#tableSize;
    if (size !== undefined) {
      section(4, (body) => {
        for (const byte of [1, 0x70, 1]) body.byte(byte);
        body.u32(size);
        body.u32(size);
      });
    }
    section(7, (body) => {
      body.u32(this.#exports.length);
      for (const entry of this.#exports) {
        name(body, entry.name);
        body.byte(entry.kind);
        body.u32(entry.index);
      }
    });
    section(9, (body) => {
      body.u32(this.#elements.length);
      for (const entry of this.#elements) {
        body.u32(0);
        if (entry.offset === 'base') {
          body.byte(0x23);
          body.u32(0);
        } else {
          body.byte(0x41);
          body.s32(entry.offset);
        }
        body.byte(0x0b);
        body.u32(entry.functions.length);
        for (const index of entry.functions) body.u32(index);
      }
    });
    // Branch hinting proposal: a custom section before the code; of each branch a byte that says which way it most likely goes.
    const hinted = this.#functions.flatMap(({ hints }, i) => (hints.length > 0 ? [{ index: this.#importedFunctions + i, hints }] : []));
    if (hinted.length > 0) {
      section(0, (body) => {
        name(body, 'metadata.code.branch_hint');
        body.u32(hinted.length);
        for (const { index, hints } of hinted) {
          body.u32(index);
          body.u32(hints.length);
          for (const hint of hints) {
            body.u32(hint >>> 1);
            body.byte(1);
            body.byte(hint & 1);
          }
        }
      });
    }
    section(10, (body) => {
      body.u32(this.#functions.length);
      for (const entry of this.#functions) {
        const code = entry.code instanceof Uint8Array ? entry.code : entry.code.body();
        body.u32(code.length);
        body.append(code);
      }
    });
    if (this.#data.length > 0) {
      section(11, (body) => {
        body.u32(this.#data.length);
        for (const { address, bytes } of this.#data) {
          body.byte(0);
          body.byte(0x41);
          body.s32(address);
          body.byte(0x0b);
          body.u32(bytes.length);
          body.append(bytes);
        }
      });
    }
    for (const entry of this.#custom) {
      section(0, (body) => {
        name(body, entry.name);
        body.append(entry.data);
      });
    }
    return out.view().slice();
  }
}
