/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry points of all 256 vectors, 16 bytes apart. Each leaves the error code
 * (0 where the processor pushes none) in the place of orig_rax and the vector
 * in RDI, as struct __regs has it, and goes to the common part.
 */
#include <uk/arch/lcpu.h>

	.section .note.GNU-stack, "", @progbits
	.text

	.globl pc_trap_stubs
	.type pc_trap_stubs, @function
	.balign 16
pc_trap_stubs:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 40
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.set	vec, 0
	.rept	256
	.balign 16
	.if (vec == 8) || (vec >= 10 && vec <= 14) || (vec == 17) || (vec == 21) || (vec == 29) || (vec == 30)
	/* the processor has pushed an error code */
	.else
	pushq	$0
	.endif
	pushq	%rdi
	movl	$vec, %edi
	jmp	trap_common
	.set	vec, vec + 1
	.endr
	.cfi_endproc
	.size pc_trap_stubs, . - pc_trap_stubs

	.type trap_common, @function
trap_common:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 56
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.cfi_offset rdi, -56
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	.cfi_def_cfa_offset __REGS_SIZEOF
	.cfi_offset rbp, __REGS_OFFSETOF_RBP - __REGS_SIZEOF
	.cfi_offset rbx, __REGS_OFFSETOF_RBX - __REGS_SIZEOF
	cld
	movq	%rsp, %rsi
	call	pc_trap
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	iretq
	.cfi_endproc
	.size trap_common, . - trap_common
