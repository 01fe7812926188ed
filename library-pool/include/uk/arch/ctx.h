/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Execution contexts: what a context switch exchanges (ukarch_ctx), the
 * extended registers (ectx: x87, SSE, AVX), the system registers that belong
 * to a thread of execution (sysctx: FS and GS base), and all three together as
 * a system call leaves them (ukarch_execenv).
 */
#ifndef UK_ARCH_CTX_H
#define UK_ARCH_CTX_H

#include <uk/arch/lcpu.h>

#define UKARCH_ECTX_ALIGN		64
#define UKARCH_ECTX_SIZE		832	/* XSAVE area: x87, SSE and AVX */

#define UKARCH_SYSCTX_GSBASE		0
#define UKARCH_SYSCTX_FSBASE		8
#define UKARCH_SYSCTX_SIZE		16

#define UKARCH_EXECENV_OFFSETOF_REGS	0
#define UKARCH_EXECENV_OFFSETOF_SYSCTX	176
#define UKARCH_EXECENV_OFFSETOF_ECTX	192
#define UKARCH_EXECENV_SIZE		1024

/* The control block just below the top of an auxiliary stack. */
#define UKARCH_AUXSPCB_SIZE		64
#define UKARCH_AUXSPCB_CURR_FP		0
#define UKARCH_AUXSPCB_UKSYSCTX		8

#define UKARCH_AUXSP_ALIGN		64

#ifndef __ASSEMBLER__

struct ukarch_ctx {
	uintptr_t ip;
	uintptr_t sp;
};

/* Extended registers; the layout is the processor's own. */
struct ukarch_ectx {
	uint8_t area[UKARCH_ECTX_SIZE];
} __align(UKARCH_ECTX_ALIGN);

struct ukarch_sysctx {
	uintptr_t gsbase;
	uintptr_t fsbase;
};

struct ukarch_execenv {
	struct __regs regs;
	struct ukarch_sysctx sysctx;
	uint8_t ectx[UKARCH_ECTX_SIZE];
};

struct ukarch_auxspcb {
	uintptr_t curr_fp;	/* where the next frame on the stack starts */
	struct ukarch_sysctx uksysctx;	/* Unikraft's own FS and GS base */
	uint8_t pad[40];
};

UK_CTASSERT(sizeof(struct ukarch_execenv) == UKARCH_EXECENV_SIZE);
UK_CTASSERT(offsetof(struct ukarch_execenv, sysctx) ==
	    UKARCH_EXECENV_OFFSETOF_SYSCTX);
UK_CTASSERT(offsetof(struct ukarch_execenv, ectx) ==
	    UKARCH_EXECENV_OFFSETOF_ECTX);
UK_CTASSERT(sizeof(struct ukarch_auxspcb) == UKARCH_AUXSPCB_SIZE);
UK_CTASSERT(offsetof(struct ukarch_auxspcb, uksysctx) ==
	    UKARCH_AUXSPCB_UKSYSCTX);

typedef void (*ukarch_ctx_entry)(void *arg);

/* Makes `ctx` start at entry(arg) on the stack whose top is `sp`. */
void ukarch_ctx_init_entry(struct ukarch_ctx *ctx, uintptr_t sp,
			   ukarch_ctx_entry entry, void *arg);

/* Saves where `store` is and goes on where `load` was left. */
void ukarch_ctx_switch(struct ukarch_ctx *store, struct ukarch_ctx *load);

/* Zeroes the parts of a fresh save area that XRSTOR checks. */
void ukarch_ectx_sanitize(void *ectx);
/* Leaves of an area that a program has written only what can be loaded. */
void ukarch_ectx_check(void *ectx);
/* Stores and loads the extended registers at a 64-byte aligned address. */
void ukarch_ectx_store(void *ectx);
void ukarch_ectx_load(void *ectx);

/* Stores and loads FS and GS base. */
void ukarch_sysctx_store(struct ukarch_sysctx *sysctx);
void ukarch_sysctx_load(const struct ukarch_sysctx *sysctx);

/* Chooses XSAVE or FXSAVE, and the FSGSBASE instructions or the MSRs. */
void ukarch_ctx_early_init(void);

static inline struct ukarch_auxspcb *ukarch_auxsp_get_cb(uintptr_t auxsp)
{
	return (struct ukarch_auxspcb *)(auxsp - UKARCH_AUXSPCB_SIZE);
}

/* Prepares an auxiliary stack whose top is `auxsp` (64-byte aligned). */
void ukarch_auxsp_init(uintptr_t auxsp, uintptr_t gsbase, uintptr_t fsbase);

#endif /* !__ASSEMBLER__ */

#endif /* UK_ARCH_CTX_H */
