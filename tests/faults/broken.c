/* Makes chosen calls fail, hang or write too little, on paths below chosen folders. Loaded with
   LD_PRELOAD. What fails, how and how often stands in a file (BROKEN_CONTROL) that is mapped into
   memory, so that an outage begins and ends while the program runs; `broken.py` writes it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OPEN, READ, PREAD, WRITE, WRITEV, RENAME, MKDIR, UNLINK, STAT, FSTAT, FSYNC, FTRUNCATE,
       CLOSE, MMAP, LOCK, OPENDIR, READDIR, READLINK, FALLOCATE };

#define RULES 4
struct rule {
    volatile int32_t active, error, first, every, shorter, reserved;
    volatile int64_t calls, seen, struck; /* calls: a bit for each */
    volatile double seconds;              /* to sleep first; below 0: until the rule is over */
    char below[512];
};
static struct rule *rules;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BROKEN_CONTROL");
    if (!path) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *at = (void *)syscall(SYS_mmap, NULL, RULES * sizeof(struct rule),
                               PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (at != MAP_FAILED) rules = at;
}

static int is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == 0 || path[length] == '/');
}

static int path_of(int file, char *room) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    long count = syscall(SYS_readlinkat, AT_FDCWD, name, room, PATH_MAX - 1);
    if (count < 0) return 0;
    room[count] = 0;
    return 1;
}

/* Returns the errno that a call is to fail with, 0 to go on, -1 to write too little. */
static int strike(int call, const char *path) {
    for (int i = 0; rules && path && i < RULES; i++) {
        struct rule *rule = &rules[i];
        if (!rule->active || !(rule->calls >> call & 1) || !is_below(path, rule->below)) continue;
        int64_t number = __sync_add_and_fetch(&rule->seen, 1);
        if (number < rule->first) continue;
        if (rule->every == 0 && number > rule->first) continue;
        if (rule->every > 1 && (number - rule->first) % rule->every) continue;
        __sync_add_and_fetch(&rule->struck, 1);
        struct timespec bit = {0, 5000000};
        for (double left = rule->seconds; left != 0 && rule->active; left -= left > 0 ? .005 : 0) {
            if (left > 0 && left < .005) break;
            nanosleep(&bit, NULL);
        }
        if (rule->error) return rule->error;
        if (rule->shorter) return -1;
    }
    return 0;
}

static int strike_at(int call, int folder, const char *path) {
    char room[PATH_MAX * 2];
    if (!path || path[0] == '/') return strike(call, path);
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, room, PATH_MAX) < 0) return 0;
    } else if (!path_of(folder, room)) return 0;
    if (path[0]) {
        strcat(room, "/");
        strncat(room, path, PATH_MAX - 2);
    }
    return strike(call, room);
}

static int strike_on(int call, int file) {
    char room[PATH_MAX];
    int before = errno, error = rules && path_of(file, room) ? strike(call, room) : 0;
    errno = before;
    return error;
}

#define FAIL(code, value) do { int e = (code); if (e > 0) { errno = e; return value; } } while (0)
#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        FAIL(strike_at(OPEN, AT_FDCWD, path), -1); \
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode); }
OPENER(open)
OPENER(open64)
#define OPENER_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        FAIL(strike_at(OPEN, folder, path), -1); \
        return (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode); }
OPENER_AT(openat)
OPENER_AT(openat64)

ssize_t read(int file, void *room, size_t size) {
    FAIL(strike_on(READ, file), -1);
    return syscall(SYS_read, file, room, size);
}
ssize_t readv(int file, const struct iovec *rooms, int count) {
    FAIL(strike_on(READ, file), -1);
    return syscall(SYS_readv, file, rooms, count);
}
#define PREADER(name) \
    ssize_t name(int file, void *room, size_t size, off_t at) { \
        FAIL(strike_on(PREAD, file), -1); return syscall(SYS_pread64, file, room, size, at); }
PREADER(pread)
PREADER(pread64)
#define PREADERV(name) \
    ssize_t name(int file, const struct iovec *rooms, int count, off_t at) { \
        FAIL(strike_on(PREAD, file), -1); \
        return syscall(SYS_preadv, file, rooms, count, (long)at, 0L); }
PREADERV(preadv)
PREADERV(preadv64)
#define PREADERV2(name) \
    ssize_t name(int file, const struct iovec *rooms, int count, off_t at, int flags) { \
        FAIL(strike_on(PREAD, file), -1); \
        return syscall(SYS_preadv2, file, rooms, count, (long)at, 0L, flags); }
PREADERV2(preadv2)
PREADERV2(preadv64v2)

ssize_t write(int file, const void *content, size_t size) {
    int verdict = strike_on(WRITE, file);
    FAIL(verdict, -1);
    return syscall(SYS_write, file, content, verdict < 0 && size > 1 ? size / 2 : size);
}
#define PWRITER(name) \
    ssize_t name(int file, const void *content, size_t size, off_t at) { \
        FAIL(strike_on(WRITE, file), -1); return syscall(SYS_pwrite64, file, content, size, at); }
PWRITER(pwrite)
PWRITER(pwrite64)
ssize_t writev(int file, const struct iovec *parts, int count) {
    int verdict = strike_on(WRITEV, file);
    FAIL(verdict, -1);
    if (verdict < 0 && parts[0].iov_len > 1)
        return syscall(SYS_write, file, parts[0].iov_base, parts[0].iov_len / 2);
    return syscall(SYS_writev, file, parts, count);
}

int rename(const char *from, const char *to) {
    FAIL(strike_at(RENAME, AT_FDCWD, from), -1);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int there, const char *from, int here, const char *to) {
    FAIL(strike_at(RENAME, there, from), -1);
    return (int)syscall(SYS_renameat2, there, from, here, to, 0);
}
int mkdir(const char *path, mode_t mode) {
    FAIL(strike_at(MKDIR, AT_FDCWD, path), -1);
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    FAIL(strike_at(MKDIR, folder, path), -1);
    return (int)syscall(SYS_mkdirat, folder, path, mode);
}
int unlink(const char *path) {
    FAIL(strike_at(UNLINK, AT_FDCWD, path), -1);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
int unlinkat(int folder, const char *path, int flags) {
    FAIL(strike_at(UNLINK, folder, path), -1);
    return (int)syscall(SYS_unlinkat, folder, path, flags);
}

#define STATTER(name, type, flags) \
    int name(const char *path, struct type *facts) { \
        FAIL(strike_at(STAT, AT_FDCWD, path), -1); \
        return (int)syscall(SYS_newfstatat, AT_FDCWD, path, facts, flags); }
STATTER(stat, stat, 0)
STATTER(stat64, stat64, 0)
STATTER(lstat, stat, AT_SYMLINK_NOFOLLOW)
STATTER(lstat64, stat64, AT_SYMLINK_NOFOLLOW)
#define FSTATTER(name, type) \
    int name(int file, struct type *facts) { \
        FAIL(strike_on(FSTAT, file), -1); \
        return (int)syscall(SYS_newfstatat, file, "", facts, AT_EMPTY_PATH); }
FSTATTER(fstat, stat)
FSTATTER(fstat64, stat64)
#define STATTER_AT(name, type) \
    int name(int folder, const char *path, struct type *facts, int flags) { \
        FAIL(strike_at(STAT, folder, path), -1); \
        return (int)syscall(SYS_newfstatat, folder, path, facts, flags); }
STATTER_AT(fstatat, stat)
STATTER_AT(fstatat64, stat64)

int fsync(int file) {
    FAIL(strike_on(FSYNC, file), -1);
    return (int)syscall(SYS_fsync, file);
}
int fdatasync(int file) {
    FAIL(strike_on(FSYNC, file), -1);
    return (int)syscall(SYS_fdatasync, file);
}
#define TRUNCATER(name) \
    int name(int file, off_t size) { \
        FAIL(strike_on(FTRUNCATE, file), -1); return (int)syscall(SYS_ftruncate, file, size); }
TRUNCATER(ftruncate)
TRUNCATER(ftruncate64)
#define ALLOCATER(name) \
    int name(int file, off_t at, off_t size) { \
        int error = strike_on(FALLOCATE, file); \
        if (error > 0) return error; \
        return syscall(SYS_fallocate, file, 0, at, size) ? errno : 0; }
ALLOCATER(posix_fallocate)
ALLOCATER(posix_fallocate64)
int close(int file) {
    int error = strike_on(CLOSE, file);
    int done = (int)syscall(SYS_close, file); /* closed it is, whatever it says */
    FAIL(error, -1);
    return done;
}
#define MAPPER(name) \
    void *name(void *at, size_t size, int access, int flags, int file, off_t start) { \
        if (file >= 0) FAIL(strike_on(MMAP, file), MAP_FAILED); \
        return (void *)syscall(SYS_mmap, at, size, access, flags, file, start); }
MAPPER(mmap)
MAPPER(mmap64)
#define CONTROLLER(name) \
    int name(int file, int what, ...) { \
        va_list rest; va_start(rest, what); void *facts = va_arg(rest, void *); va_end(rest); \
        if (what == F_SETLK || what == F_SETLKW) FAIL(strike_on(LOCK, file), -1); \
        return (int)syscall(SYS_fcntl, file, what, facts); }
CONTROLLER(fcntl)
CONTROLLER(fcntl64)
ssize_t readlink(const char *path, char *room, size_t size) {
    FAIL(strike_at(READLINK, AT_FDCWD, path), -1);
    return syscall(SYS_readlinkat, AT_FDCWD, path, room, size);
}

DIR *opendir(const char *path) {
    FAIL(strike_at(OPENDIR, AT_FDCWD, path), NULL);
    return REAL(opendir)(path);
}
DIR *fdopendir(int folder) {
    FAIL(strike_on(OPENDIR, folder), NULL);
    return REAL(fdopendir)(folder);
}
struct dirent *readdir(DIR *folder) {
    FAIL(strike_on(READDIR, dirfd(folder)), NULL);
    return REAL(readdir)(folder);
}
struct dirent64 *readdir64(DIR *folder) {
    FAIL(strike_on(READDIR, dirfd(folder)), NULL);
    return REAL(readdir64)(folder);
}
