/** Which files each feature is offered for. */
import { type DocumentFilter } from 'vscode-languageserver';

const language = (id: string): DocumentFilter => ({ language: id });

export const kconfigFiles: DocumentFilter[] = [language('kconfig'), { pattern: '**/{Config.uk,Kconfig,Kconfig.*}' }];

/** Kconfig files and configurations. */
export const configurationFiles: DocumentFilter[] = [
  ...kconfigFiles,
  language('dotconfig'),
  { pattern: '**/{.config,.config.*,defconfig,*_defconfig}' },
];

const kraftfiles: DocumentFilter[] = [
  language('kraftfile'),
  { pattern: '**/{Kraftfile,kraft.yaml,kraft.yml,Kraftfile.yaml,Kraftfile.yml}' },
];

export const makefiles: DocumentFilter[] = [language('makefile-uk'), { pattern: '**/Makefile.uk' }];

export const withKraftfiles: DocumentFilter[] = [...configurationFiles, ...kraftfiles];

export const withMakefiles: DocumentFilter[] = [...withKraftfiles, ...makefiles];

/** Also the files that only name options. */
export const allFiles: DocumentFilter[] = [
  ...withMakefiles,
  language('c'),
  language('cpp'),
  language('makefile'),
  { pattern: '**/*.{S,s,asm,lds,ld,uk,mk,dts}' },
];

/** What is watched on disk. */
export const watchedFiles: readonly string[] = [
  '**/{Config.uk,Makefile.uk,Makefile,Kconfig*,Kraftfile,kraft.y*ml,Kraftfile.y*ml,version.mk,exportsyms.uk}',
  '**/{.config,.config.*,defconfig,*_defconfig,*.config}',
  '**/*.{c,h,cc,cpp,hpp,S,s,lds,ld,mk}',
];
