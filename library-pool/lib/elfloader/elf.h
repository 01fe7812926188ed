/* SPDX-License-Identifier: BSD-3-Clause */
/* The ELF-64 format (System V ABI, chapters 4 and 5), and what is loaded. */
#ifndef ELF_H
#define ELF_H

#include <vfscore/vnode.h>

#define ET_EXEC		2
#define ET_DYN		3
#define EM_X86_64	62
#define PT_LOAD		1
#define PT_INTERP	3
#define PT_PHDR		6

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define ELF_MAX_SEGMENTS	32

/* An executable that was read, and where it lies once it is loaded. */
struct elf {
	struct elf_header header;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	struct vnode *vn;
	uintptr_t low, high;	/* linked addresses of all segments, in pages */
	uintptr_t bias;		/* loaded minus linked address */
	uintptr_t phdr;		/* loaded address of the program headers */
};

/* Reads and checks the headers; takes a reference to `vn`. */
int elf_open(struct elf *elf, struct vnode *vn);
/* Puts it into memory. */
int elf_load(struct elf *elf);
/* The path of its dynamic linker: the length, 0 for none, or an error. */
int elf_interpreter(const struct elf *elf, char *path, size_t size);
void elf_close(struct elf *elf);

/* What the program finds at its start. */
struct start {
	uintptr_t entry;
	uintptr_t sp;
};

/* Strings of a program: argv and envp, copied to where they are safe. */
struct strings {
	int argc, envc;
	size_t bytes;
	char *text;		/* one after the other, each with its end */
	const char *execfn;
};

int strings_copy(struct strings *s, const char *path, const char *prefix[],
		 int nprefix, char *const argv[], char *const envp[]);
void strings_free(struct strings *s);

/*
 * Makes the stack as the ABI has it (AMD64 supplement, 3.4.1): argc, argv,
 * envp, auxiliary vector. `base` is where the dynamic linker lies, or 0.
 */
int stack_make(const struct strings *s, const struct elf *elf, uintptr_t base,
	       uintptr_t *sp);

#endif /* ELF_H */
