/* A Linux program that does nothing but one system call over and over: its argument says which. */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "getppid";
	struct timespec now;

	for (;;) {
		if (strcmp(what, "write") == 0)
			syscall(SYS_write, -1, "nobody reads this", 17);
		else if (strcmp(what, "openat") == 0)
			syscall(SYS_openat, AT_FDCWD, "/no/such/file", O_RDONLY);
		else if (strcmp(what, "clock_gettime") == 0)
			syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		else
			syscall(SYS_getppid);
	}
}
