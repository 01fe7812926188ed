/* SPDX-License-Identifier: BSD-3-Clause */
/* Preparing contexts and auxiliary stacks. */
#include <uk/arch/ctx.h>

extern char ukarch_ctx_start[];

void ukarch_ctx_init_entry(struct ukarch_ctx *ctx, uintptr_t sp,
			   ukarch_ctx_entry entry, void *arg)
{
	uintptr_t *stack = (uintptr_t *)ALIGN_DOWN(sp, 16);

	/* Two words go before the call, which then finds RSP aligned to 16. */
	*--stack = (uintptr_t)arg;
	*--stack = (uintptr_t)entry;
	ctx->sp = (uintptr_t)stack;
	ctx->ip = (uintptr_t)ukarch_ctx_start;
}

void ukarch_auxsp_init(uintptr_t auxsp, uintptr_t gsbase, uintptr_t fsbase)
{
	struct ukarch_auxspcb *cb = ukarch_auxsp_get_cb(auxsp);

	cb->curr_fp = auxsp - UKARCH_AUXSPCB_SIZE;
	cb->uksysctx.gsbase = gsbase;
	cb->uksysctx.fsbase = fsbase;
}
