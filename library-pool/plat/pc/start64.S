/* SPDX-License-Identifier: BSD-3-Clause */
/* First 64-bit instructions of both protocols, descriptor table and stack. */
#include <uk/config.h>
#include <pc/pc.h>
#include <x86/cpu.h>

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.section .text.boot, "ax"

/* RAX = C function to go to, RDI and RSI its arguments, RSP a stack. */
	.globl pc_start64
	.type pc_start64, @function
pc_start64:
	.cfi_startproc
	.cfi_undefined rip
	movl	$PC_GDT_DATA, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %ss
	movl	%ecx, %fs
	movl	%ecx, %gs
	/* The compiler uses SSE registers from the first function on. */
	movq	%cr4, %rcx
	orl	$(X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT), %ecx
	movq	%rcx, %cr4
	call	*%rax
	ud2
	.cfi_endproc
	.size pc_start64, . - pc_start64

	.data
	.balign 16
	.globl pc_gdt
	.type pc_gdt, @object
pc_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code, accessed */
	.quad	0x00cf93000000ffff	/* data */
	.quad	0, 0			/* TSS, filled in by pc_traps_init() */
pc_gdt_end:
	.size pc_gdt, . - pc_gdt

	.balign 8
	.globl pc_gdt_desc
pc_gdt_desc:
	.word	pc_gdt_end - pc_gdt - 1
	.quad	pc_gdt
	.balign 8
	.globl pc_gdt_desc32
pc_gdt_desc32:
	.word	pc_gdt_end - pc_gdt - 1
	.long	pc_gdt

	.bss
	.balign 64
	.globl pc_boot_stack
	.type pc_boot_stack, @object
pc_boot_stack:
	.skip	CONFIG_PC_STACK_SIZE
	.size pc_boot_stack, . - pc_boot_stack
	.globl pc_boot_stack_end
pc_boot_stack_end:
