/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the SYSCALL instruction arrives: RCX = return address, R11 = flags,
 * RAX = number, on the application's stack, with the application's FS and GS.
 * Everything is saved into a struct uk_syscall_ctx on the auxiliary stack,
 * the C handler works on that, and what it leaves there is loaded again.
 */
#include <uk/arch/ctx.h>
#include <uk/plat/lcpu.h>
#include <pc/pc.h>

#define CTX_AUXSP	UKARCH_EXECENV_SIZE	/* after the execenv */
#define CTX_SLOT	(UKARCH_EXECENV_SIZE + 64)

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.text

	.globl _ukplat_syscall
	.type _ukplat_syscall, @function
_ukplat_syscall:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 0
	.cfi_register rip, rcx
	cli
	swapgs
	movq	%rsp, %gs:LCPU_SCRATCH_OFFSET
	movq	%gs:LCPU_AUXSP_OFFSET, %rsp
	/* Start below what already lies on this stack. */
	movq	-(UKARCH_AUXSPCB_SIZE - UKARCH_AUXSPCB_CURR_FP)(%rsp), %rsp
	subq	$56, %rsp
	pushq	%gs:LCPU_AUXSP_OFFSET
	subq	$(UKARCH_ECTX_SIZE + UKARCH_SYSCTX_SIZE), %rsp
	pushq	$PC_GDT_DATA
	pushq	%gs:LCPU_SCRATCH_OFFSET
	pushq	%r11
	pushq	$PC_GDT_CODE64
	pushq	%rcx
	pushq	%rax
	swapgs
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
	.cfi_offset r13, __REGS_OFFSETOF_R13 - __REGS_SIZEOF
	.cfi_offset r14, __REGS_OFFSETOF_R14 - __REGS_SIZEOF
	.cfi_offset r15, __REGS_OFFSETOF_R15 - __REGS_SIZEOF

	/* A system call made while this one runs must not reuse the frame. */
	movq	CTX_AUXSP(%rsp), %rax
	movq	%rsp, -(UKARCH_AUXSPCB_SIZE - UKARCH_AUXSPCB_CURR_FP)(%rax)
	sti

	movq	%rsp, %rbx
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_sanitize
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_store
	leaq	UKARCH_EXECENV_OFFSETOF_SYSCTX(%rbx), %rdi
	call	ukarch_sysctx_store
	movq	%rbx, %rdi
	call	ukplat_syscall_handler

.Lreturn:
	cli
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_load
	leaq	UKARCH_EXECENV_OFFSETOF_SYSCTX(%rbx), %rdi
	call	ukarch_sysctx_load
	movq	CTX_AUXSP(%rsp), %rax
	leaq	CTX_SLOT(%rsp), %rcx
	movq	%rcx, -(UKARCH_AUXSPCB_SIZE - UKARCH_AUXSPCB_CURR_FP)(%rax)

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
	.cfi_def_cfa_offset __REGS_SIZEOF - __REGS_OFFSETOF_ORIG_RAX
	/*
	 * RCX and R11 carry the return address and the flags back, as the
	 * instruction's contract has it, unless other values were asked for:
	 * where a signal handler returns to. The flags are loaded while still
	 * on this stack: the application's red zone must stay as it is.
	 */
	cmpq	%rcx, 8(%rsp)
	jne	1f
	cmpq	%r11, 24(%rsp)
	jne	1f
	pushq	%r11
	popfq
	movq	32(%rsp), %rsp
	/* An address that is none is the program's fault: see traps.c. */
	.globl	pc_syscall_jump
pc_syscall_jump:
	jmp	*%rcx
1:	addq	$8, %rsp
	.globl	pc_syscall_iret
pc_syscall_iret:
	iretq
	.cfi_endproc
	.size _ukplat_syscall, . - _ukplat_syscall

/*
 * Where a trap goes on that was left for the program's handler: on an
 * auxiliary stack with RSP = struct uk_syscall_ctx, RDI = it, RSI = vector,
 * RDX = error code, RCX = address. Where the kernel had stored the program's
 * registers already, R8 is not 0.
 */
	.globl pc_trap_to_handler
	.type pc_trap_to_handler, @function
pc_trap_to_handler:
	.cfi_startproc
	.cfi_undefined rip
	movq	%rdi, %rbx
	movq	%rsi, %r12
	movq	%rdx, %r13
	movq	%rcx, %r14
	movq	%r8, %r15
	testq	%r8, %r8
	jnz	1f
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_sanitize
	leaq	UKARCH_EXECENV_OFFSETOF_ECTX(%rbx), %rdi
	call	ukarch_ectx_store
	leaq	UKARCH_EXECENV_OFFSETOF_SYSCTX(%rbx), %rdi
	call	ukarch_sysctx_store
1:	sti
	movq	%rbx, %rdi
	movq	%r12, %rsi
	movq	%r13, %rdx
	movq	%r14, %rcx
	movq	%r15, %r8
	call	*pc_trap_handler(%rip)
	jmp	.Lreturn
	.cfi_endproc
	.size pc_trap_to_handler, . - pc_trap_to_handler

/*
 * void ukplat_syscall_return(struct uk_syscall_ctx *usc): into the application
 * with the registers in `usc`, which lies where an entry would have put it.
 */
	.globl ukplat_syscall_return
	.type ukplat_syscall_return, @function
ukplat_syscall_return:
	.cfi_startproc
	.cfi_undefined rip
	movq	%rdi, %rsp
	movq	%rdi, %rbx
	jmp	.Lreturn
	.cfi_endproc
	.size ukplat_syscall_return, . - ukplat_syscall_return
