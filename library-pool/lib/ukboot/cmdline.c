/* SPDX-License-Identifier: BSD-3-Clause */
/* Splits the command line. */
#include <string.h>
#include <uk/essentials.h>
#include "cmdline.h"

/* Takes one word from `*line`, unquoted in place; NULL at the end. */
static char *next_word(char **line)
{
	char *in = *line;
	char *word, *out;
	char quote = 0;

	while (*in == ' ' || *in == '\t' || *in == '\n')
		in++;
	if (!*in)
		return NULL;
	word = out = in;
	for (; *in && (quote || (*in != ' ' && *in != '\t' && *in != '\n'));
	     in++) {
		if (quote ? *in == quote : (*in == '"' || *in == '\''))
			quote = quote ? 0 : *in;
		else
			*out++ = *in;
	}
	*line = *in ? in + 1 : in;
	*out = 0;
	return word;
}

int ukboot_split_cmdline(char *line, char **argv, int max, int *params)
{
	int count = 0;
	char *word;

	*params = 0;
	while (count < max && (word = next_word(&line))) {
		if (!*params && count && !strcmp(word, "--")) {
			*params = count;
			continue;
		}
		argv[count++] = word;
	}
	return count;
}
