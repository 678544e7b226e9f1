/* Watches what a process does to files below a folder. Preloaded; see watched.py, which steers it.

   Each operation is written to a log with its data, so that what a failing power would leave can be
   made of it; or the process kills itself before, in the middle of, or after a chosen one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST = 65536 };

static char folder[PATH_MAX];
static size_t folder_size;
static int log_to = -1;
static unsigned char watched[MOST];
static long passed, kill_at = -1;
static int kill_when; /* 0 before, 1 in the middle, 2 after */
static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t put(const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    size_t done = 0;
    while (done < size) {
        ssize_t count = real(log_to, (const char *)data + done, size - done);
        if (count <= 0) abort();
        done += (size_t)count;
    }
    return (ssize_t)size;
}

struct __attribute__((packed)) head {
    char what;
    int32_t fd;
    int64_t place;
    uint64_t first, second;
};

static void note(char what, int fd, int64_t place, const void *one, size_t first, const void *two,
                 size_t second) {
    if (log_to < 0) return;
    struct head head = {what, fd, place, first, second};
    int kept = errno;
    put(&head, sizeof head);
    put(one, first);
    put(two, second);
    errno = kept;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* One more operation begins; whether it is to be broken off in the middle. */
static int begin(void) {
    pthread_mutex_lock(&turn);
    long now = passed++;
    if (now != kill_at) return 0;
    if (kill_when == 0) die();
    return 1;
}

static void end(int broken) {
    if (broken) die();
    pthread_mutex_unlock(&turn);
}

static int below(const char *path) {
    return folder_size && path && !strncmp(path, folder, folder_size);
}

static int is_watched(int fd) { return folder_size && fd >= 0 && fd < MOST && watched[fd]; }

static const char *whole(int fd, const char *path, char *room) {
    if (fd == AT_FDCWD || path[0] == '/') return path;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, room, PATH_MAX - 1);
    if (size < 0) return path;
    snprintf(room + size, PATH_MAX - (size_t)size, "/%s", path);
    return room;
}

/* ---------------------------------------------------------------- steering */

void watch_below(const char *path, int log) {
    snprintf(folder, sizeof folder, "%s", path);
    folder_size = strlen(folder);
    log_to = log;
    passed = 0;
}

void watch_kill(long at, int when) {
    kill_at = at;
    kill_when = when;
    passed = 0;
}

long watch_passed(void) { return passed; }

void watch_note(const char *text) { note('n', 0, 0, text, strlen(text), "", 0); }

/* ---------------------------------------------------------------- calls */

static int opened(int (*real)(int, const char *, int, ...), int at, const char *path, int flags,
                  mode_t mode) {
    char room[PATH_MAX];
    const char *name = path ? whole(at, path, room) : path;
    if (!below(name)) {
        int fd = real(at, path, flags, mode);
        if (fd >= 0 && fd < MOST) watched[fd] = 0;
        return fd;
    }
    int broken = begin();
    int fd = real(at, path, flags, mode);
    if (fd >= 0 && fd < MOST) {
        watched[fd] = 1;
        note('o', fd, flags, name, strlen(name), "", 0);
    }
    end(broken);
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, "openat", int, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return opened(real, AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(int, "openat", int, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return opened(real, at, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    REAL(int, "close", int);
    if (!is_watched(fd)) return real(fd);
    int broken = begin();
    watched[fd] = 0;
    note('c', fd, 0, "", 0, "", 0);
    int done = real(fd);
    end(broken);
    return done;
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (!is_watched(fd)) return real(fd, data, size);
    int broken = begin();
    ssize_t count = real(fd, data, broken && kill_when == 1 ? size / 2 : size);
    if (count > 0) note('w', fd, lseek(fd, 0, SEEK_CUR) - count, data, (size_t)count, "", 0);
    end(broken);
    return count;
}

ssize_t writev(int fd, const struct iovec *parts, int number) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (!is_watched(fd)) return real(fd, parts, number);
    int broken = begin();
    ssize_t count = real(fd, parts, broken && kill_when == 1 ? (number + 1) / 2 : number);
    ssize_t left = count;
    off_t place = count > 0 ? lseek(fd, 0, SEEK_CUR) - count : 0;
    for (int one = 0; one < number && left > 0; one++) {
        size_t size = parts[one].iov_len < (size_t)left ? parts[one].iov_len : (size_t)left;
        note('w', fd, place, parts[one].iov_base, size, "", 0);
        place += (off_t)size;
        left -= (ssize_t)size;
    }
    end(broken);
    return count;
}

#define ON_FILE(name, letter) \
    int name(int fd) { \
        REAL(int, #name, int); \
        if (!is_watched(fd)) return real(fd); \
        int broken = begin(); \
        int done = real(fd); \
        if (!done) note(letter, fd, 0, "", 0, "", 0); \
        end(broken); \
        return done; \
    }
ON_FILE(fsync, 'f')
ON_FILE(fdatasync, 'f')

#define TRUNCATE(name) \
    int name(int fd, off_t size) { \
        REAL(int, #name, int, off_t); \
        if (!is_watched(fd)) return real(fd, size); \
        int broken = begin(); \
        int done = real(fd, size); \
        if (!done) note('t', fd, size, "", 0, "", 0); \
        end(broken); \
        return done; \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define RESERVE(name) \
    int name(int fd, off_t start, off_t size) { \
        REAL(int, #name, int, off_t, off_t); \
        if (!is_watched(fd)) return real(fd, start, size); \
        int broken = begin(); \
        int done = real(fd, start, size); \
        if (!done) note('a', fd, start + size, "", 0, "", 0); \
        end(broken); \
        return done; \
    }
RESERVE(posix_fallocate)
RESERVE(posix_fallocate64)

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    if (!below(from)) return real(from, to);
    int broken = begin();
    int done = real(from, to);
    if (!done) note('r', 0, 0, from, strlen(from), to, strlen(to));
    end(broken);
    return done;
}

#define ON_NAME(name, letter) \
    int name(const char *path) { \
        REAL(int, #name, const char *); \
        if (!below(path)) return real(path); \
        int broken = begin(); \
        int done = real(path); \
        if (!done) note(letter, 0, 0, path, strlen(path), "", 0); \
        end(broken); \
        return done; \
    }
ON_NAME(unlink, 'u')
ON_NAME(rmdir, 'd')

int unlinkat(int at, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    char room[PATH_MAX];
    const char *name = whole(at, path, room);
    if (!below(name)) return real(at, path, flags);
    int broken = begin();
    int done = real(at, path, flags);
    if (!done) note(flags & AT_REMOVEDIR ? 'd' : 'u', 0, 0, name, strlen(name), "", 0);
    end(broken);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    if (!below(path)) return real(path, mode);
    int broken = begin();
    int done = real(path, mode);
    if (!done) note('m', 0, 0, path, strlen(path), "", 0);
    end(broken);
    return done;
}

/* Nothing to note, but places to be killed at. */
DIR *opendir(const char *path) {
    REAL(DIR *, "opendir", const char *);
    if (!below(path)) return real(path);
    int broken = begin();
    DIR *done = real(path);
    end(broken);
    return done;
}

#define CONTROL(name) \
    int name(int fd, int what, ...) { \
        REAL(int, #name, int, int, ...); \
        va_list more; \
        va_start(more, what); \
        void *argument = va_arg(more, void *); \
        va_end(more); \
        /* A lock that is waited for must not keep other threads from their turn. */ \
        if (!is_watched(fd) || what == F_SETLKW) return real(fd, what, argument); \
        int broken = begin(); \
        int done = real(fd, what, argument); \
        end(broken); \
        return done; \
    }
CONTROL(fcntl)
CONTROL(fcntl64)
