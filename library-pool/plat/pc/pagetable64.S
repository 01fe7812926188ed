/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page tables that the image boots and runs with: the first 4 GiB mapped
 * to themselves. The first 2 MiB use 4 KiB pages with page 0 left out, so
 * that a null pointer faults; the rest uses 2 MiB pages.
 */
	.section .note.GNU-stack, "", @progbits
	.section .data.pagetable, "aw"

#define PTE_PRESENT	0x001
#define PTE_WRITE	0x002
#define PTE_LARGE	0x080

	.balign 4096
	.globl x86_bpt_pml4
	.type x86_bpt_pml4, @object
x86_bpt_pml4:
	.quad	x86_bpt_pdpt + (PTE_PRESENT | PTE_WRITE)
	.fill	511, 8, 0
	.size x86_bpt_pml4, . - x86_bpt_pml4

x86_bpt_pdpt:
	.quad	x86_bpt_pd + 0x0000 + (PTE_PRESENT | PTE_WRITE)
	.quad	x86_bpt_pd + 0x1000 + (PTE_PRESENT | PTE_WRITE)
	.quad	x86_bpt_pd + 0x2000 + (PTE_PRESENT | PTE_WRITE)
	.quad	x86_bpt_pd + 0x3000 + (PTE_PRESENT | PTE_WRITE)
	.fill	508, 8, 0

x86_bpt_pd:
	.quad	x86_bpt_pt + (PTE_PRESENT | PTE_WRITE)
	.set	addr, 0x200000
	.rept	2047
	.quad	addr + (PTE_PRESENT | PTE_WRITE | PTE_LARGE)
	.set	addr, addr + 0x200000
	.endr

x86_bpt_pt:
	.quad	0
	.set	addr, 0x1000
	.rept	511
	.quad	addr + (PTE_PRESENT | PTE_WRITE)
	.set	addr, addr + 0x1000
	.endr
