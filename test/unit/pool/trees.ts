/** Small pools in memory, for the catalogue's tests. */
import { MemoryFiles } from '../kconfig/memory-files';

/** A core with two libraries, a driver, a platform and an architecture, as upstream lays them out. */
export const smallTree: Readonly<Record<string, string>> = {
  '/uk/version.mk': 'UK_VERSION = 1\nUK_SUBVERSION = 2\nUK_EXTRAVERSION = 3\nUK_CODENAME = Test\n',
  '/uk/Config.uk':
    'mainmenu "Test"\nconfig ARCH_X86_64\n\tdef_bool y\nconfig HAVE_CLOCK\n\tbool\n' +
    ['lib/one', 'lib/two', 'drivers/net', 'plat/pc'].map((part) => `source "/uk/${part}/Config.uk"\n`).join(''),
  '/uk/Makefile.uk': 'CFLAGS += -Wall\n',
  '/uk/lib/Makefile.uk': ['one', 'two'].map((name) => `$(eval $(call import_lib,$(CONFIG_UK_BASE)/lib/${name}))\n`).join(''),
  '/uk/lib/one/Config.uk':
    'config LIBONE\n\tbool "one: The first library"\n\tselect LIBTWO if LIBONE_FAST\n\tselect HAVE_CLOCK\n\thelp\n\t  It comes first.\n' +
    'config LIBONE_FAST\n\tbool "Fast"\n\tdepends on LIBONE\n\tdefault y\n',
  '/uk/lib/one/Makefile.uk':
    '$(eval $(call addlib_s,libone,$(CONFIG_LIBONE)))\n\n' +
    'CINCLUDES-$(CONFIG_LIBONE) += -I$(LIBONE_BASE)/include\n' +
    'LIBONE_SRCS-y += $(LIBONE_BASE)/a.c|isr\n' +
    'ifeq ($(CONFIG_LIBONE_FAST),y)\nLIBONE_SRCS-y += $(LIBONE_BASE)/fast.c\nelse\nLIBONE_SRCS-y += $(LIBONE_BASE)/slow.c\nendif\n' +
    '$(LIBONE_BUILD)/made.h: $(LIBONE_BASE)/made.in\n\t$(call build_cmd,GEN,libone,$(notdir $@), \\\n\t\tcat $< > $@)\n' +
    'UK_PROVIDED_SYSCALLS-$(CONFIG_LIBONE) += read-3 write-3\n' +
    'UK_PROVIDED_SYSCALLS-$(CONFIG_LIBONE_FAST) += clone-5e\n',
  '/uk/lib/one/exportsyms.uk': '# exported\none_start\none_stop\n',
  '/uk/lib/one/include/one.h': '',
  '/uk/lib/one/include/sub/deep.h': '',
  '/uk/lib/two/Config.uk': 'config LIBTWO\n\tbool "two: The second library"\n\tdepends on HAVE_CLOCK\n',
  '/uk/lib/two/Makefile.uk':
    '$(eval $(call addlib_s,libtwo,$(CONFIG_LIBTWO)))\nLIBTWO_SRCS-y += $(LIBTWO_BASE)/two.c\n' +
    '$(eval $(call addlib_s,libtwo_extra,$(CONFIG_LIBTWO)))\nLIBTWO_EXTRA_SRCS-$(CONFIG_LIBONE) += $(LIBTWO_BASE)/extra.c\n' +
    'UK_PROVIDED_SYSCALLS-$(CONFIG_LIBTWO) += read-3\n',
  '/uk/drivers/Makefile.uk': '$(eval $(call import_lib,$(CONFIG_UK_BASE)/drivers/net))\n',
  '/uk/drivers/net/Config.uk': 'config LIBNET\n\tbool "Network card"\n\tdefault y\n',
  '/uk/drivers/net/Makefile.uk': '$(eval $(call addplatlib_s,pc,libnet,$(CONFIG_LIBNET)))\nLIBNET_SRCS-y += $(LIBNET_BASE)/net.c\n',
  '/uk/plat/Makefile.uk': 'UK_PLAT_BASE := $(CONFIG_UK_BASE)/plat\n$(eval $(call import_lib,$(UK_PLAT_BASE)/pc))\n',
  '/uk/plat/pc/Config.uk': 'config PLAT_PC\n\tbool "PC"\n\tdefault y\n',
  '/uk/plat/pc/Makefile.uk':
    '$(eval $(call addplat_s,pc,$(CONFIG_PLAT_PC)))\n$(eval $(call addplatlib,pc,libpcplat))\nLIBPCPLAT_SRCS-y += $(LIBPCPLAT_BASE)/pc.c\n' +
    '$(eval $(call addplatlib,pc,libempty))\n',
  '/uk/arch/x86/Makefile.uk': '$(eval $(call addlib,libcontext))\nLIBCONTEXT_SRCS-y += $(LIBCONTEXT_BASE)/ctx.c\n',
};

/** The small tree with some files changed or, where the text is undefined, left out. */
export function treeWith(changes: Readonly<Record<string, string | undefined>> = {}): MemoryFiles {
  const all: Record<string, string | undefined> = { ...smallTree, ...changes };
  return new MemoryFiles(Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)));
}
