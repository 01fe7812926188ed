/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry by the Linux 64-bit boot protocol: long mode with an identity mapping,
 * RSI = boot_params ("zero page").
 */
#include <pc/pc.h>

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.section .text.boot, "ax"

	.globl _lxboot_entry
	.type _lxboot_entry, @function
_lxboot_entry:
	.cfi_startproc
	.cfi_undefined rip
	cli
	cld
	movl	$x86_bpt_pml4, %eax
	movq	%rax, %cr3
	movl	$pc_boot_stack_end, %esp
	lgdt	pc_gdt_desc
	pushq	$PC_GDT_CODE64
	pushq	$.Lcs
	lretq
.Lcs:
	xorl	%ebp, %ebp
	movq	%rsi, %rdi
	movl	$pc_lxboot_start, %eax
	jmp	pc_start64
	.cfi_endproc
	.size _lxboot_entry, . - _lxboot_entry
