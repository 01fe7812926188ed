/* SPDX-License-Identifier: BSD-3-Clause */
/* From a path to a running program: at the start, and by execve(2). */
#include <string.h>
#include <elfloader/elfloader.h>
#include <posix/fdtab.h>
#include <posix/pages.h>
#include <posix/process.h>
#include <posix/signal.h>
#include <uk/config.h>
#include <uk/ctors.h>
#include <uk/plat/bootinfo.h>
#include <uk/plat/lcpu.h>
#include <uk/print.h>
#include <uk/syscall.h>
#include <vfscore/path.h>
#include "elf.h"

#define FIXED_BASE	0x400000UL
#define FIXED_SIZE	((unsigned long)CONFIG_LIBELFLOADER_FIXED_MIB << 20)
#define SCRIPT_MAX	256
#define SIGKILL		9

/* Keeps the place of programs with fixed addresses from the allocator. */
static bool has_fixed;

static void keep_fixed(void)
{
	has_fixed = FIXED_SIZE &&
		    !ukplat_memregion_reserve(FIXED_BASE, FIXED_SIZE,
					      "programs");
}
UK_CTOR_PRIO(keep_fixed, 1);

static int elfloader_init(struct uk_init_ctx *ictx __unused)
{
	return has_fixed ? pages_add(FIXED_BASE, FIXED_SIZE) : 0;
}
UK_INIT_ENTRY(elfloader_init, 3, 6);

/* A program that was found, before anything of the old one is given up. */
struct program {
	struct elf elf;
	struct elf linker;	/* `vn` is NULL where there is none */
	struct strings strings;
};

static struct program program;

/* "#! interpreter argument" in place; the number of words, 0 for none. */
static int script_words(struct vnode *vn, char *line, const char *words[2])
{
	ssize_t n = vn->ops->read(vn, line, SCRIPT_MAX - 1, 0, 0);
	char *end;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return 0;
	line[n] = 0;
	end = strchr(line, '\n');
	if (end)
		*end = 0;
	for (line += 2; *line == ' ' || *line == '\t'; line++)
		;
	if (!*line)
		return 0;
	words[0] = line;
	while (*line && *line != ' ' && *line != '\t')
		line++;
	if (!*line)
		return 1;
	for (*line++ = 0; *line == ' ' || *line == '\t'; line++)
		;
	words[1] = line;
	for (end = line + strlen(line);
	     end > line && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = 0;
	return *line ? 2 : 1;
}

static int open_linker(struct program *p)
{
	char path[SCRIPT_MAX];
	struct vnode *vn;
	int rc = elf_interpreter(&p->elf, path, sizeof(path));

	p->linker.vn = NULL;
	if (rc <= 0)
		return rc;
	rc = vfs_lookup(NULL, path, true, &vn);
	if (rc) {
		uk_pr_err("The dynamic linker %s is not in the file system\n",
			  path);
		return rc;
	}
	rc = elf_open(&p->linker, vn);
	vnode_unref(vn);
	return rc;
}

static int find(struct program *p, const char *path, char *const argv[],
		char *const envp[])
{
	char line[SCRIPT_MAX];
	const char *prefix[3];
	struct vnode *vn, *script;
	int words = 0, rc = vfs_lookup(NULL, path, true, &vn);

	if (rc)
		return rc;
	if (S_ISREG(vn->mode) &&
	    (words = script_words(vn, line, prefix)) > 0) {
		script = vn;
		rc = vfs_lookup(NULL, prefix[0], true, &vn);
		vnode_unref(script);
		if (rc)
			return rc;
		prefix[words++] = path;
	}
	rc = elf_open(&p->elf, vn);
	vnode_unref(vn);
	if (rc)
		return rc;
	rc = open_linker(p);
	if (!rc)
		rc = strings_copy(&p->strings, words ? prefix[0] : path,
				  prefix, words, argv, envp);
	if (rc) {
		vnode_unref(p->linker.vn);
		elf_close(&p->elf);
	}
	return rc;
}

static int load(struct program *p, struct start *start)
{
	struct elf *first = p->linker.vn ? &p->linker : &p->elf;
	int rc = elf_load(&p->elf);

	if (!rc && p->linker.vn)
		rc = elf_load(&p->linker);
	if (!rc)
		rc = stack_make(&p->strings, &p->elf, p->linker.bias,
				&start->sp);
	start->entry = first->header.entry + first->bias;
	strings_free(&p->strings);
	elf_close(&p->elf);
	vnode_unref(p->linker.vn);
	return rc;
}

int elfloader_run(const char *path, char *const argv[], char *const envp[])
{
	struct start start;
	int rc;

	memset(&program, 0, sizeof(program));
	rc = find(&program, path, argv, envp);
	if (!rc)
		rc = load(&program, &start);
	if (rc)
		return rc;
	posix_signal_from_traps();
	/* As the ABI has it, RDX is a function for atexit(): none. */
	__asm__ __volatile__("mov %0, %%rsp\n\t"
			     "xor %%edx, %%edx\n\t"
			     "xor %%ebp, %%ebp\n\t"
			     "jmp *%1"
			     :: "a"(start.sp), "c"(start.entry) : "memory");
	__builtin_unreachable();
}

UK_LLSYSCALL_R_E_DEFINE(int, execve, const char *, path, char *const *, argv,
			char *const *, envp)
{
	const struct ukarch_auxspcb *cb =
		ukarch_auxsp_get_cb(ukplat_lcpu_get_auxsp());
	struct __regs *r = &execenv->regs;
	struct start start;
	int rc;

	memset(&program, 0, sizeof(program));
	rc = find(&program, path, argv, envp);
	if (rc)
		return rc;
	/* From here on there is nothing to go back to. */
	posix_process_exec();
	fdtab_exec();
	rc = load(&program, &start);
	if (rc) {
		uk_pr_err("A new program cannot be loaded: error %d\n", rc);
		posix_process_end(0, SIGKILL);
	}
	r->rip = r->rcx = start.entry;
	r->rsp = start.sp;
	r->rbx = r->rbp = r->rdx = r->rsi = r->rdi = 0;
	r->r8 = r->r9 = r->r10 = r->r12 = r->r13 = r->r14 = r->r15 = 0;
	execenv->sysctx.fsbase = cb->uksysctx.fsbase;
	return 0;
}
