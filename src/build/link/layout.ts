/** Where the sections of a unikernel go: the one description that both our linker and the script for GNU ld are made from. */

/** Input sections taken into an output section, by name; a trailing `*` matches any ending. */
export interface InputPattern {
  readonly name: string;
  /** Not dropped, though nothing refers to it. */
  readonly keep?: boolean;
  /** Order among the sections that match: by name, or by the number at the end as constructors have it. */
  readonly sort?: 'name' | 'init-priority';
}

/** One output section. */
export interface OutputLayout {
  readonly name: string;
  readonly inputs: readonly InputPattern[];
  /** Bytes; at least the largest of the inputs. */
  readonly align?: number;
  /** Symbols at the first byte and after the last. */
  readonly start?: readonly string[];
  readonly end?: readonly string[];
}

/** A loadable segment: output sections with the same access. */
export interface SegmentLayout {
  readonly name: string;
  /** ELF p_flags: 4 read, 2 write, 1 execute. */
  readonly flags: number;
  readonly align: number;
  readonly sections: readonly OutputLayout[];
}

/** A whole image. */
export interface ImageLayout {
  /** Address of the first segment. */
  readonly base: number;
  readonly segments: readonly SegmentLayout[];
  /** Symbols at the first and after the last byte of memory. */
  readonly start: readonly string[];
  readonly end: readonly string[];
  /** Input sections that are dropped. */
  readonly discard: readonly string[];
  /** The file's headers are part of the first segment, as programs for an operating system have them. */
  readonly headers?: boolean;
}

const R = 4;
const W = 2;
const X = 1;

/** The layout of images for the PC platform, at 1 MiB. */
export const PC_LAYOUT: ImageLayout = {
  base: 0x100000,
  start: ['_base_addr'],
  end: ['_end'],
  discard: ['.note.*', '.comment', '.eh_frame', '.eh_frame_hdr', '.gnu.*', '.llvm*'],
  segments: [
    {
      name: 'text',
      flags: R | X,
      align: 0x1000,
      sections: [
        {
          name: '.text',
          inputs: [{ name: '.text.boot', keep: true }, { name: '.text' }, { name: '.text.*' }],
          start: ['_text'],
          end: ['_etext'],
        },
      ],
    },
    {
      name: 'rodata',
      flags: R,
      align: 0x1000,
      sections: [
        { name: '.rodata', inputs: [{ name: '.rodata' }, { name: '.rodata.*' }], start: ['_rodata'], end: ['_erodata'] },
        {
          name: '.uk_ctortab',
          inputs: [{ name: '.uk_ctortab*', keep: true, sort: 'name' }],
          align: 8,
          start: ['uk_ctortab_start'],
          end: ['uk_ctortab_end'],
        },
        {
          name: '.uk_inittab',
          inputs: [{ name: '.uk_inittab*', keep: true, sort: 'name' }],
          align: 8,
          start: ['uk_inittab_start'],
          end: ['uk_inittab_end'],
        },
        {
          name: '.init_array',
          inputs: [
            { name: '.init_array.*', keep: true, sort: 'init-priority' },
            { name: '.init_array', keep: true },
          ],
          align: 8,
          start: ['__init_array_start'],
          end: ['__init_array_end'],
        },
      ],
    },
    {
      name: 'data',
      flags: R | W,
      align: 0x1000,
      sections: [
        { name: '.tdata', inputs: [{ name: '.tdata' }, { name: '.tdata.*' }], align: 64, start: ['_tls_start'], end: ['_etdata'] },
        { name: '.tbss', inputs: [{ name: '.tbss' }, { name: '.tbss.*' }, { name: '.tcommon' }], align: 64, end: ['_tls_end'] },
        { name: '.data', inputs: [{ name: '.data' }, { name: '.data.*' }], start: ['_data'], end: ['_edata'] },
        { name: '.got', inputs: [{ name: '.got' }] },
        { name: '.uk_bootinfo', inputs: [{ name: '.uk_bootinfo', keep: true }], align: 8 },
        { name: '.bss', inputs: [{ name: '.bss' }, { name: '.bss.*' }, { name: 'COMMON' }], start: ['__bss_start'] },
      ],
    },
  ],
};

/** The layout of static programs for Linux; at 0 for position-independent ones, which the kernel places. */
export function linuxLayout(pie: boolean): ImageLayout {
  const array = (name: string, keep: readonly InputPattern[]): OutputLayout => ({
    name: `.${name}`,
    inputs: keep,
    align: 8,
    start: [`__${name}_start`],
    end: [`__${name}_end`],
  });
  return {
    base: pie ? 0 : 0x400000,
    headers: true,
    start: ['__executable_start', '__ehdr_start'],
    end: ['_end', 'end'],
    discard: ['.note.GNU-stack', '.gnu.*', '.comment', '.llvm*', '.gnu_debuglink', '.note.gnu.property'],
    segments: [
      {
        name: 'headers',
        flags: R,
        align: 0x1000,
        sections: [
          { name: '.note', inputs: [{ name: '.note.*', keep: true }] },
          { name: '.dynsym', inputs: [{ name: '.dynsym' }] },
          { name: '.dynstr', inputs: [{ name: '.dynstr' }] },
          { name: '.rela.dyn', inputs: [{ name: '.rela.dyn' }] },
          { name: '.rela.iplt', inputs: [{ name: '.rela.iplt' }], start: ['__rela_iplt_start'], end: ['__rela_iplt_end'] },
        ],
      },
      {
        name: 'text',
        flags: R | X,
        align: 0x1000,
        sections: [
          { name: '.init', inputs: [{ name: '.init', keep: true }] },
          { name: '.iplt', inputs: [{ name: '.iplt' }] },
          {
            name: '.text',
            inputs: [{ name: '.text' }, { name: '.text.*' }, { name: '.gnu.linkonce.t.*' }],
            end: ['etext', '_etext', '__etext'],
          },
          { name: '.fini', inputs: [{ name: '.fini', keep: true }] },
        ],
      },
      {
        name: 'rodata',
        flags: R,
        align: 0x1000,
        sections: [
          { name: '.rodata', inputs: [{ name: '.rodata' }, { name: '.rodata.*' }, { name: '.lrodata*' }] },
          { name: '.eh_frame_hdr', inputs: [{ name: '.eh_frame_hdr' }] },
          { name: '.eh_frame', inputs: [{ name: '.eh_frame', keep: true }] },
          { name: '.gcc_except_table', inputs: [{ name: '.gcc_except_table' }, { name: '.gcc_except_table.*' }] },
        ],
      },
      {
        name: 'data',
        flags: R | W,
        align: 0x1000,
        sections: [
          { name: '.tdata', inputs: [{ name: '.tdata' }, { name: '.tdata.*' }] },
          { name: '.tbss', inputs: [{ name: '.tbss' }, { name: '.tbss.*' }, { name: '.tcommon' }] },
          array('preinit_array', [{ name: '.preinit_array', keep: true }]),
          array('init_array', [
            { name: '.init_array.*', keep: true, sort: 'init-priority' },
            { name: '.init_array', keep: true },
          ]),
          array('fini_array', [
            { name: '.fini_array.*', keep: true, sort: 'init-priority' },
            { name: '.fini_array', keep: true },
          ]),
          {
            name: '.ctors',
            inputs: [
              { name: '.ctors', keep: true },
              { name: '.ctors.*', keep: true, sort: 'name' },
            ],
          },
          {
            name: '.dtors',
            inputs: [
              { name: '.dtors', keep: true },
              { name: '.dtors.*', keep: true, sort: 'name' },
            ],
          },
          { name: '.data.rel.ro', inputs: [{ name: '.data.rel.ro' }, { name: '.data.rel.ro.*' }] },
          { name: '.dynamic', inputs: [{ name: '.dynamic' }], start: ['_DYNAMIC'] },
          { name: '.got', inputs: [{ name: '.got' }], start: ['_GLOBAL_OFFSET_TABLE_'] },
          { name: '.data', inputs: [{ name: '.data' }, { name: '.data.*' }, { name: '.ldata*' }], end: ['edata', '_edata'] },
          { name: '.bss', inputs: [{ name: '.bss' }, { name: '.bss.*' }, { name: '.lbss*' }, { name: 'COMMON' }], start: ['__bss_start'] },
        ],
      },
    ],
  };
}

/** The same layout as a script for GNU ld or LLD. */
export function ldScript(layout: ImageLayout): string {
  const out: string[] = ['PHDRS', '{'];
  for (const s of layout.segments) out.push(`\t${s.name} PT_LOAD FLAGS(${s.flags});`);
  out.push('\ttls PT_TLS FLAGS(4);', '\tstack PT_GNU_STACK FLAGS(6);', '}', 'SECTIONS', '{', `\t. = 0x${layout.base.toString(16)};`);
  for (const name of layout.start) out.push(`\t${name} = .;`);
  for (const segment of layout.segments) {
    out.push(`\t. = ALIGN(0x${segment.align.toString(16)});`);
    let afterTls = false;
    for (const section of segment.sections) {
      const tls = section.name === '.tdata' || section.name === '.tbss';
      if (section.align) out.push(`\t. = ALIGN(${section.align});`);
      // Symbols before a section keep it from being dropped when it is empty, and keep their place.
      for (const name of section.start ?? []) out.push(`\t${name} = .;`);
      out.push(`\t${section.name} :${section.align ? ` ALIGN(${section.align})` : ''}`, '\t{');
      for (const input of section.inputs) out.push(`\t\t${inputStatement(input)}`);
      const segments = tls
        ? ` :${segment.name} :tls`
        : afterTls
          ? ` :${segment.name}`
          : section === segment.sections[0]
            ? ` :${segment.name}`
            : '';
      out.push(`\t}${segments}`);
      // .tbss takes no room in memory, so its end is not where the location counter stands.
      for (const name of section.end ?? [])
        out.push(section.name === '.tbss' ? `\t${name} = ADDR(.tbss) + SIZEOF(.tbss);` : `\t${name} = .;`);
      afterTls = tls;
    }
  }
  for (const name of layout.end) out.push(`\t${name} = .;`);
  out.push('\t/DISCARD/ :', '\t{', `\t\t${layout.discard.map((p) => `*(${p})`).join(' ')}`, '\t}', '}', '');
  return out.join('\n');
}

function inputStatement(input: InputPattern): string {
  const list =
    input.sort === 'name'
      ? `*(SORT_BY_NAME(${input.name}))`
      : input.sort === 'init-priority'
        ? `*(SORT_BY_INIT_PRIORITY(${input.name}))`
        : `*(${input.name})`;
  return input.keep ? `KEEP (${list})` : list;
}
