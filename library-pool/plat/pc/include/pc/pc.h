/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this platform share. */
#ifndef PC_PC_H
#define PC_PC_H

#define PC_GDT_CODE64	0x08
#define PC_GDT_DATA	0x10
#define PC_GDT_TSS	0x18

#define PC_IRQ_BASE	32	/* vector of interrupt line 0 */

#ifndef __ASSEMBLER__
#include <uk/essentials.h>
#include <uk/plat/bootinfo.h>

/* Common to both boot protocols: from a filled bootinfo into the libraries. */
void pc_start(void) __noreturn;

/* Fills the bootinfo's kernel region, name and command line. */
void pc_bootinfo_begin(const char *protocol, const char *loader);
void pc_bootinfo_cmdline(const char *cmdline, size_t len);
/* Last step: takes the kernel out of the free memory. */
void pc_bootinfo_end(void);

void pc_traps_init(void);
void pc_pic_init(void);
void pc_time_init(void);
void pc_com_init(void);

/* Acknowledges line `irq` and runs its handler. */
void pc_irq_handle(unsigned int irq);

/* Writes to COM1 without any library, for crashes. */
void pc_emergency_puts(const char *s);

#endif /* !__ASSEMBLER__ */

#endif /* PC_PC_H */
