/* Lets one call that changes something below FAULT_ROOT fail, or kills the process just before it: LD_PRELOAD this.
   fault_set(at, error): the at-th such call from here on (1 is the next) fails with `error`, or the process is killed if that is 0.
   fault_count(): how many there were since. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long count, fail_at = -1;
static int fail_with;

void fault_set(long at, int error) { count = 0; fail_at = at; fail_with = error; }
long fault_count(void) { return count; }

static int strike(const char *path) {
    const char *root = getenv("FAULT_ROOT");
    char full[4096];
    if (fail_at < 0 || !root || !path) return 0;
    if (path[0] != '/') { if (!getcwd(full, sizeof full - 1)) return 0; strncat(full, "/", sizeof full - strlen(full) - 1);
        strncat(full, path, sizeof full - strlen(full) - 1); path = full; }
    if (strncmp(path, root, strlen(root))) return 0;
    if (++count != fail_at) return 0;
    if (!fail_with) kill(getpid(), SIGKILL);
    errno = fail_with;
    return 1;
}

static int strike_at(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return strike(path);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size) { REAL(ssize_t, "write", int, const void *, size_t); return strike_at(fd) ? -1 : real(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(ssize_t, "pwrite", int, const void *, size_t, off_t); return strike_at(fd) ? -1 : real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t); return strike_at(fd) ? -1 : real(fd, data, size, at); }
int fsync(int fd) { REAL(int, "fsync", int); return strike_at(fd) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); return strike_at(fd) ? -1 : real(fd); }
int ftruncate(int fd, off_t size) { REAL(int, "ftruncate", int, off_t); return strike_at(fd) ? -1 : real(fd, size); }
int ftruncate64(int fd, off_t size) { REAL(int, "ftruncate64", int, off_t); return strike_at(fd) ? -1 : real(fd, size); }
int rename(const char *from, const char *to) { REAL(int, "rename", const char *, const char *); return strike(to) ? -1 : real(from, to); }
int renameat(int a, const char *from, int b, const char *to) { REAL(int, "renameat", int, const char *, int, const char *); return strike(to) ? -1 : real(a, from, b, to); }
int mkdir(const char *path, mode_t mode) { REAL(int, "mkdir", const char *, mode_t); return strike(path) ? -1 : real(path, mode); }
int symlink(const char *to, const char *path) { REAL(int, "symlink", const char *, const char *); return strike(path) ? -1 : real(to, path); }
int unlink(const char *path) { REAL(int, "unlink", const char *); return strike(path) ? -1 : real(path); }
int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    va_list more; va_start(more, flags); mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; va_end(more);
    return (flags & O_CREAT) && strike(path) ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    va_list more; va_start(more, flags); mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; va_end(more);
    return (flags & O_CREAT) && strike(path) ? -1 : real(path, flags, mode);
}
