/* SPDX-License-Identifier: BSD-3-Clause */
/* Switching between contexts and starting new ones. */

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.text

/*
 * void ukarch_ctx_switch(struct ukarch_ctx *store, struct ukarch_ctx *load)
 *
 * RBX, RBP and R12..R15 belong to the caller; everything else is dead at a
 * call. The place to go on is stored beside the stack pointer, so that a
 * context that has never run needs no frame of this function.
 */
	.globl ukarch_ctx_switch
	.type ukarch_ctx_switch, @function
ukarch_ctx_switch:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	push	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	push	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	push	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	push	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	push	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	movq	$.Lresume, 0(%rdi)
	movq	%rsp, 8(%rdi)
	movq	8(%rsi), %rsp
	jmp	*0(%rsi)
.Lresume:
	pop	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	pop	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	pop	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	pop	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size ukarch_ctx_switch, . - ukarch_ctx_switch

/* First instructions of a new context: its stack holds entry and argument. */
	.globl ukarch_ctx_start
	.type ukarch_ctx_start, @function
ukarch_ctx_start:
	.cfi_startproc
	.cfi_undefined rip
	pop	%rax
	pop	%rdi
	xorl	%ebp, %ebp
	call	*%rax
	ud2			/* an entry function does not return */
	.cfi_endproc
	.size ukarch_ctx_start, . - ukarch_ctx_start
