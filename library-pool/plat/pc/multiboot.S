/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry by Multiboot 1: 32-bit protected mode without paging, EAX = magic,
 * EBX = information structure. The Multiboot header itself is put into the
 * image by the build, since it belongs into the first 8 KiB of the file.
 */
#include <x86/cpu.h>
#include <pc/pc.h>

	.section .note.GNU-stack, "", @progbits
	.cfi_sections .debug_frame
	.section .text.boot, "ax"
	.code32

	.globl _multiboot_entry
	.type _multiboot_entry, @function
_multiboot_entry:
	.cfi_startproc
	.cfi_undefined 16	/* rip; 32-bit code knows no such name */
	cli
	cld
	movl	%eax, %edi
	movl	%ebx, %esi

	movl	$X86_CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$x86_bpt_pml4, %eax
	movl	%eax, %cr3
	movl	$X86_MSR_EFER, %ecx
	xorl	%edx, %edx
	movl	$X86_EFER_LME, %eax
	wrmsr
	movl	$(X86_CR0_PG | X86_CR0_WP | X86_CR0_PE), %eax
	movl	%eax, %cr0

	lgdt	pc_gdt_desc32
	ljmp	$PC_GDT_CODE64, $.Llong

	.code64
.Llong:
	movl	$pc_boot_stack_end, %esp
	xorl	%ebp, %ebp
	movl	%edi, %edi		/* clears the upper halves */
	movl	%esi, %esi
	movl	$pc_multiboot_start, %eax
	jmp	pc_start64
	.cfi_endproc
	.size _multiboot_entry, . - _multiboot_entry
