/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads lines from the console and says them again, until "quit". */
#include <stdio.h>
#include <string.h>
#include <uk/syscall.h>

static void say(const char *text)
{
	uk_syscall_r_static(SYS_write, 1, text, strlen(text));
}

/* A line without its end; the length. */
static size_t read_line(char *line, size_t size)
{
	size_t len = 0;
	char c = 0;

	while (uk_syscall_r_static(SYS_read, 0, &c, 1) == 1 && c != '\n')
		if (len + 1 < size)
			line[len++] = c;
	line[len] = 0;
	return len;
}

int main(int argc, char *argv[])
{
	char line[128];
	char answer[160];

	(void)argc;
	(void)argv;
	say("Type lines; \"quit\" ends.\n");
	for (;;) {
		say("> ");
		read_line(line, sizeof(line));
		if (!strcmp(line, "quit"))
			break;
		snprintf(answer, sizeof(answer), "You said: %s\n", line);
		say(answer);
	}
	say("Bye.\n");
	return 0;
}
