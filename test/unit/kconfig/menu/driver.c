/*
 * Makes menu edits with the library behind a tree's own conf and mconf, and prints after each what every symbol is.
 *
 * Usage: driver KCONFIG < EDITS, one edit a line: the name, a blank, the value. Linked with conf's objects.
 * Prints for each edit a line "+" (taken) or "-" (refused), then for every named symbol "NAME VISIBILITY WRITTEN VALUE", then an empty line;
 * before the first edit, the state of the tree as it was read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkc.h"

static void print_state(void)
{
	struct symbol *sym;
	int i;

	for_all_symbols(i, sym)
		sym_calc_value(sym);
	for_all_symbols(i, sym) {
		if (!sym->name || sym->type == S_UNKNOWN || sym->flags & (SYMBOL_CONST | SYMBOL_CHOICE))
			continue;
		printf("%s %d %d %s\n", sym->name, sym->visible, !!(sym->flags & SYMBOL_WRITE), sym_get_string_value(sym));
	}
	putchar('\n');
}

static bool edit(const char *name, const char *value)
{
	struct symbol *sym = sym_find(name);

	if (!sym) {
		fprintf(stderr, "no symbol %s\n", name);
		exit(2);
	}
	/* A menu shows an entry before somebody changes it. */
	sym_calc_value(sym);
	switch (sym_get_type(sym)) {
	case S_BOOLEAN:
	case S_TRISTATE:
		return sym_set_tristate_value(sym, value[0] == 'y' ? yes : value[0] == 'm' ? mod : no);
	default:
		return sym_set_string_value(sym, value);
	}
}

int main(int argc, char **argv)
{
	static char line[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: driver KCONFIG\n");
		return 2;
	}
	conf_parse(argv[1]);
	conf_read(NULL);
	print_state();
	while (fgets(line, sizeof(line), stdin)) {
		char *value = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (!value)
			continue;
		*value++ = '\0';
		puts(edit(line, value) ? "+" : "-");
		print_state();
	}
	return 0;
}
