/* SPDX-License-Identifier: BSD-3-Clause */
/* The logical processor: its per-CPU block (GS base), interrupts, idling. */
#ifndef UK_PLAT_LCPU_H
#define UK_PLAT_LCPU_H

#define LCPU_SIZE		64
#define LCPU_AUXSP_OFFSET	32
#define LCPU_SCRATCH_OFFSET	40

#ifndef __ASSEMBLER__
#include <uk/essentials.h>

struct lcpu {
	uint32_t state;
	uint32_t idx;
	uint64_t id;		/* APIC id */
	uint64_t error;
	uintptr_t stackp;	/* boot stack */
	uintptr_t auxsp;	/* auxiliary stack of what runs now */
	uint64_t scratch;	/* the caller's RSP while a system call enters */
	uint8_t pad[16];
};

UK_CTASSERT(sizeof(struct lcpu) == LCPU_SIZE);
UK_CTASSERT(offsetof(struct lcpu, auxsp) == LCPU_AUXSP_OFFSET);
UK_CTASSERT(offsetof(struct lcpu, scratch) == LCPU_SCRATCH_OFFSET);

#define LCPU_STATE_OFFLINE	0
#define LCPU_STATE_BUSY		2

extern struct lcpu lcpus[1];

static inline struct lcpu *lcpu_current(void)
{
	return &lcpus[0];
}

static inline void ukplat_lcpu_set_auxsp(uintptr_t auxsp)
{
	lcpus[0].auxsp = auxsp;
}

static inline uintptr_t ukplat_lcpu_get_auxsp(void)
{
	return lcpus[0].auxsp;
}

static inline void ukplat_lcpu_enable_irq(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

static inline void ukplat_lcpu_disable_irq(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

/* Whether interrupts were on before; pair with ukplat_lcpu_restore_irqf(). */
static inline unsigned long ukplat_lcpu_save_irqf(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushf; pop %0; cli" : "=r"(flags) :: "memory");
	return flags & 0x200;
}

static inline void ukplat_lcpu_restore_irqf(unsigned long flags)
{
	if (flags)
		ukplat_lcpu_enable_irq();
}

/*
 * Sleeps until an interrupt, at the latest at the monotonic time `until`
 * (nanoseconds). To be called with interrupts off, so that nothing that
 * happens before the processor halts is missed.
 */
void ukplat_lcpu_halt_irq_until(uint64_t until);

#endif /* !__ASSEMBLER__ */

#endif /* UK_PLAT_LCPU_H */
