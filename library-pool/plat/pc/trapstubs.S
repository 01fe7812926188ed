/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry points of all 256 vectors, 16 bytes apart. Each leaves the error code
 * (0 where the processor pushes none) in the place of orig_rax and the vector
 * in RDI, as struct __regs has it, and goes to the common part.
 */
#include <uk/arch/lcpu.h>

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.text

	.macro	push_reg reg
	pushq	\reg
	.cfi_adjust_cfa_offset 8
	.endm

	.macro	pop_reg reg
	popq	\reg
	.cfi_adjust_cfa_offset -8
	.endm

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
	push_reg	%rsi
	push_reg	%rdx
	push_reg	%rcx
	push_reg	%rax
	push_reg	%r8
	push_reg	%r9
	push_reg	%r10
	push_reg	%r11
	push_reg	%rbx
	push_reg	%rbp
	push_reg	%r12
	push_reg	%r13
	push_reg	%r14
	push_reg	%r15
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	.cfi_offset rbp, __REGS_OFFSETOF_RBP - __REGS_SIZEOF
	.cfi_offset rbx, __REGS_OFFSETOF_RBX - __REGS_SIZEOF
	cld
	movq	%rsp, %rsi
	call	pc_trap
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	pop_reg	%r15
	pop_reg	%r14
	pop_reg	%r13
	pop_reg	%r12
	pop_reg	%rbp
	pop_reg	%rbx
	pop_reg	%r11
	pop_reg	%r10
	pop_reg	%r9
	pop_reg	%r8
	pop_reg	%rax
	pop_reg	%rcx
	pop_reg	%rdx
	pop_reg	%rsi
	pop_reg	%rdi
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	iretq
	.cfi_endproc
	.size trap_common, . - trap_common
