/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt lines of the platform. */
#ifndef UK_PLAT_IRQ_H
#define UK_PLAT_IRQ_H

#include <uk/essentials.h>

/* Runs with interrupts off, may use general registers only; 1 = handled. */
typedef int (*ukplat_irq_handler_t)(void *arg);

/* Sets the handler of line `irq` (0..15) and unmasks it; 0 or -EINVAL. */
int ukplat_irq_register(unsigned long irq, ukplat_irq_handler_t func,
			void *arg);

#endif /* UK_PLAT_IRQ_H */
