/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compiled-in call of a system call that works on the caller's registers:
 * records them in an execution environment on the auxiliary stack, as
 * _ukplat_syscall does for binaries, and calls the body with it.
 * EAX = number, R11 = body, arguments as for a C function.
 */
#include <uk/arch/ctx.h>
#include <uk/plat/lcpu.h>

#define SCRATCH_FLAGS	(LCPU_SCRATCH_OFFSET + 8)
#define CURR_FP(auxsp)	-(UKARCH_AUXSPCB_SIZE - UKARCH_AUXSPCB_CURR_FP)(auxsp)

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.text

	.globl uk_syscall_prologue
	.type uk_syscall_prologue, @function
uk_syscall_prologue:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	cli
	popq	%gs:SCRATCH_FLAGS
	.cfi_adjust_cfa_offset -8
	movq	%rcx, %r10		/* fourth argument, by the kernel's ABI */
	popq	%rcx			/* return address */
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	movq	%rsp, %gs:LCPU_SCRATCH_OFFSET
	movq	%gs:LCPU_AUXSP_OFFSET, %rsp
	movq	CURR_FP(%rsp), %rsp
	subq	$56, %rsp
	pushq	%gs:LCPU_AUXSP_OFFSET
	subq	$(UKARCH_ECTX_SIZE + UKARCH_SYSCTX_SIZE), %rsp
	pushq	$0x10
	pushq	%gs:LCPU_SCRATCH_OFFSET
	pushq	%gs:SCRATCH_FLAGS
	pushq	$0x08
	pushq	%rcx
	pushq	%rax
	pushq	%rdi
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
	.cfi_def_cfa rsp, __REGS_SIZEOF
	.cfi_offset rip, __REGS_OFFSETOF_RIP - __REGS_SIZEOF
	.cfi_offset rsp, __REGS_OFFSETOF_RSP - __REGS_SIZEOF
	.cfi_offset rbp, __REGS_OFFSETOF_RBP - __REGS_SIZEOF
	.cfi_offset rbx, __REGS_OFFSETOF_RBX - __REGS_SIZEOF
	.cfi_offset r12, __REGS_OFFSETOF_R12 - __REGS_SIZEOF
	movq	UKARCH_EXECENV_SIZE(%rsp), %rax
	movq	%rsp, CURR_FP(%rax)

	movq	%rsp, %rbx
	movq	%r11, %r12
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_sanitize
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_store
	leaq	UKARCH_EXECENV_OFFSETOF_SYSCTX(%rbx), %rdi
	call	ukarch_sysctx_store
	sti
	movq	%rbx, %rdi
	call	*%r12
	cli
	movq	%rax, %r12
	leaq	UKARCH_EXECENV_OFFSETOF_SYSCTX(%rbx), %rdi
	call	ukarch_sysctx_load
	movq	%r12, %rax

	movq	UKARCH_EXECENV_SIZE(%rbx), %rcx
	leaq	(UKARCH_EXECENV_SIZE + 64)(%rbx), %rdx
	movq	%rdx, CURR_FP(%rcx)
	movq	__REGS_OFFSETOF_R15(%rbx), %r15
	movq	__REGS_OFFSETOF_R14(%rbx), %r14
	movq	__REGS_OFFSETOF_R13(%rbx), %r13
	movq	__REGS_OFFSETOF_R12(%rbx), %r12
	movq	__REGS_OFFSETOF_RBP(%rbx), %rbp
	movq	__REGS_OFFSETOF_RIP(%rbx), %rcx
	movq	__REGS_OFFSETOF_EFLAGS(%rbx), %rdx
	movq	__REGS_OFFSETOF_RSP(%rbx), %rsi
	movq	__REGS_OFFSETOF_RBX(%rbx), %rbx
	pushq	%rdx
	popfq
	movq	%rsi, %rsp
	jmp	*%rcx
	.cfi_endproc
	.size uk_syscall_prologue, . - uk_syscall_prologue
