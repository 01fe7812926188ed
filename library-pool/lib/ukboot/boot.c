/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens between the platform and main(): constructors, memory,
 * thread-local storage, the scheduler, init functions.
 */
#include <string.h>
#include <uk/allocbump.h>
#include <uk/arch/ctx.h>
#include <uk/arch/tls.h>
#include <uk/boot.h>
#include <uk/console.h>
#include <uk/config.h>
#include <uk/ctors.h>
#include <uk/plat/bootinfo.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/print.h>
#if CONFIG_LIBUKSCHED
#include <uk/schedcoop.h>
#endif
#include "cmdline.h"

int main(int argc, char *argv[]) __weak;

static char *params[CONFIG_LIBUKBOOT_MAXNBARGS];
static int nr_params;

char **uk_boot_params(int *count)
{
	*count = nr_params;
	return params;
}

static void run_ctors(void)
{
	const uk_ctor_func_t *fn;

	for (fn = uk_ctortab_start; fn < uk_ctortab_end; fn++)
		(*fn)();
}

static int run_inits(struct uk_init_ctx *ictx)
{
	const uk_init_func_t *fn;
	int rc;

	for (fn = uk_inittab_start; fn < uk_inittab_end; fn++) {
		rc = (*fn)(ictx);
		if (rc < 0) {
			uk_pr_err("Init function at %p failed: %d\n",
				  (void *)fn, rc);
			return rc;
		}
	}
	return 0;
}

static struct uk_alloc *memory_init(void)
{
	const struct ukplat_memregion_desc *mrd = NULL;
	struct uk_alloc *a = NULL;

	while ((mrd = ukplat_memregion_next(mrd, UKPLAT_MEMRT_FREE))) {
		uk_pr_info("Memory: 0x%lx, %lu KiB\n", mrd->pbase,
			   mrd->len / 1024);
		if (a)
			a->addmem(a, (void *)mrd->pbase, mrd->len);
		else
			a = uk_allocbump_init((void *)mrd->pbase, mrd->len);
	}
	return a;
}

/* Gives what runs now a TLS and an auxiliary stack of its own. */
static int context_init(struct uk_alloc *a, uintptr_t *tlsp, uintptr_t *auxsp)
{
	void *tls = uk_memalign(a, UKARCH_TLS_ALIGN, ukarch_tls_area_size());
	char *aux = uk_memalign(a, UKARCH_AUXSP_ALIGN,
				CONFIG_LIBUKBOOT_AUXSTACK_SIZE);

	if (!tls || !aux)
		return -1;
	ukarch_tls_area_init(tls);
	*tlsp = ukarch_tls_tlsp(tls);
	ukplat_tlsp_set(*tlsp);

	*auxsp = ALIGN_DOWN((uintptr_t)aux + CONFIG_LIBUKBOOT_AUXSTACK_SIZE,
			    (uintptr_t)UKARCH_AUXSP_ALIGN);
	ukarch_auxsp_init(*auxsp, (uintptr_t)lcpu_current(), *tlsp);
	ukplat_lcpu_set_auxsp(*auxsp);
	return 0;
}

static void banner(void)
{
#if CONFIG_LIBUKBOOT_BANNER
	static const char text[] = "Unikernel Workbench library pool "
				   UK_STRINGIFY(UK_VERSION) "\n";

	uk_console_out(text, sizeof(text) - 1);
#endif
}

static void sched_init(struct uk_alloc *a __unused, uintptr_t tlsp __unused,
		       uintptr_t auxsp __unused)
{
#if CONFIG_LIBUKSCHED
	struct uk_sched *s = uk_schedcoop_create(a);

	if (!s || uk_sched_start(s, tlsp, auxsp) < 0) {
		uk_pr_crit("Cannot start the scheduler\n");
		ukplat_crash();
	}
#endif
}

void __noreturn ukplat_entry_argp(char *argv0, char *cmdline)
{
	static char *words[CONFIG_LIBUKBOOT_MAXNBARGS + 1];
	char **argv = words;
	struct uk_init_ctx ictx;
	uintptr_t tlsp, auxsp;
	struct uk_alloc *a;
	int argc, before, rc;

	run_ctors();
	banner();

	argc = ukboot_split_cmdline(cmdline, words, CONFIG_LIBUKBOOT_MAXNBARGS,
				    &before);
	if (!argc)
		words[argc++] = argv0;
	words[argc] = NULL;
	if (before) {
		/* The arguments follow the name, which takes the last one's place. */
		nr_params = before - 1;
		memcpy(params, words + 1, (size_t)nr_params * sizeof(*params));
		argv = words + nr_params;
		argc -= nr_params;
		argv[0] = words[0];
	}

	a = memory_init();
	if (!a || context_init(a, &tlsp, &auxsp) < 0) {
		uk_pr_crit("Not enough memory to boot\n");
		ukplat_crash();
	}
	sched_init(a, tlsp, auxsp);
	ukplat_lcpu_enable_irq();

	ictx.argc = &argc;
	ictx.argv = &argv;
	if (run_inits(&ictx) < 0)
		ukplat_crash();

	if (!main) {
		uk_pr_crit("The image has no main()\n");
		ukplat_crash();
	}
	rc = main(argc, argv);
	uk_pr_info("main returned %d\n", rc);
	ukplat_exit(rc);
}
