/* Wraps the functions of the C library through which every write reaches the disk.
 *
 * Preloaded into a process (LD_PRELOAD), it counts the operations that change what lies below one folder:
 * those of Python, and those of DuckDB, PyArrow and SQLite, which no patch of Python would see. Writes to
 * one file, one after the other, count as one. The n-th can fail, once or for ever, or be the last one
 * before the process dies. It also remembers which files were written
 * and not flushed since: a power failure would take their bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT, ONCE, EVER, KILL };
enum { TABLE = 1 << 16, LONGEST = 4096 };

static char root[LONGEST], dirty_file[LONGEST], last_written[LONGEST];
static long at = -1, seen;
static int how = COUNT, armed, log_fd = -1;
static ino_t dirty[TABLE];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void interpose_arm(const char *folder, long n, int mode, const char *log, const char *dirty_to) {
    snprintf(root, sizeof root, "%s", folder);
    snprintf(dirty_file, sizeof dirty_file, "%s", dirty_to);
    log_fd = *log ? REAL(open)(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    at = n, how = mode, seen = 0, last_written[0] = 0, armed = 1;
    memset(dirty, 0, sizeof dirty);
}

long interpose_count(void) { return seen; }

/* Files that were written, and folders whose names changed, and that were not flushed since: their inodes. */
void interpose_dirty(void) {
    int fd = REAL(open)(dirty_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    for (int i = 0; i < TABLE; i++)
        if (dirty[i] && dirty[i] != (ino_t)-1) dprintf(fd, "%lu\n", (unsigned long)dirty[i]);
    close(fd);
}

static void mark(ino_t ino, int is_dirty) {
    pthread_mutex_lock(&guard);
    unsigned slot = ino % TABLE;
    for (int i = 0; i < TABLE && dirty[slot] != ino && dirty[slot] != 0 && dirty[slot] != (ino_t)-1; i++)
        slot = (slot + 1) % TABLE;
    if (is_dirty) dirty[slot] = ino;
    else if (dirty[slot] == ino) dirty[slot] = (ino_t)-1; /* a grave, so that others stay found */
    pthread_mutex_unlock(&guard);
}

static void mark_fd(int fd, int is_dirty) {
    struct stat s;
    if (armed && fstat(fd, &s) == 0) mark(s.st_ino, is_dirty);
}

/* The folder of a path: its names changed. */
static void mark_folder(const char *path) {
    char folder[LONGEST];
    struct stat s;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) *slash = 0;
    if (stat(folder, &s) == 0) mark(s.st_ino, 1);
}

static int below(const char *path) {
    size_t n = strlen(root);
    return armed && strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static const char *name_fd(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, buffer, LONGEST - 1);
    buffer[n < 0 ? 0 : n] = 0;
    return buffer;
}

static const char *full(int dir, const char *path, char *buffer) {
    if (path[0] == '/') return path;
    char folder[LONGEST];
    if (dir == AT_FDCWD) { if (!getcwd(folder, sizeof folder)) folder[0] = 0; }
    else name_fd(dir, folder);
    size_t n = strlen(folder);
    memcpy(buffer, folder, n);
    snprintf(buffer + n, LONGEST - n, "/%s", path);
    return buffer;
}

/* Count an operation: 0 to go on; 1 to fail, with errno set; 2 to die after half of it. */
static int count_operation(const char *call_name, const char *path, int error) {
    if (!armed || !below(path)) return 0;
    pthread_mutex_lock(&guard);
    int writes = strstr(call_name, "write") != 0, more = writes && strcmp(path, last_written) == 0;
    snprintf(last_written, LONGEST, "%s", writes ? path : "");
    long n = more ? seen - 1 : seen++;
    if (!more && log_fd >= 0) dprintf(log_fd, "%ld %s %s\n", n, call_name, path + strlen(root));
    pthread_mutex_unlock(&guard);
    if (how == COUNT || n < at || (how != EVER && (n != at || more))) return 0;
    if (how == KILL) return 2;
    errno = error;
    return 1;
}

static void die(void) { interpose_dirty(); _exit(137); }

#define STOP(call_name, path, error)                            \
    switch (count_operation(call_name, path, error)) { case 1: return -1; case 2: die(); }

static int opened(int dir, const char *path, int flags, mode_t mode) {
    char b[LONGEST];
    const char *name = full(dir, path, b);
    int creates = flags & (O_CREAT | O_TRUNC);
    if (creates) { STOP("open", name, ENOSPC) }
    struct stat s;
    int is_new = armed && creates && below(name) && stat(name, &s) != 0;
    int fd = REAL(openat)(dir, path, flags, mode);
    if (fd >= 0 && is_new) mark_fd(fd, 0), mark_folder(name); /* the number may have been another file's */
    return fd;
}

#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list v; va_start(v, flags); mode = va_arg(v, mode_t); va_end(v); }
int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }

#define WRITE(call_name, call, half)                            \
    char b[LONGEST];                                       \
    switch (armed ? count_operation(call_name, name_fd(fd, b), ENOSPC) : 0) { \
        case 1: return -1;                                 \
        case 2: mark_fd(fd, 1); (void)!(half); die();      \
    }                                                      \
    ssize_t done = call;                                   \
    if (done > 0 && armed && below(name_fd(fd, b))) mark_fd(fd, 1); \
    return done;

ssize_t write(int fd, const void *data, size_t n) {
    WRITE("write", REAL(write)(fd, data, n), REAL(write)(fd, data, n / 2))
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t where) {
    WRITE("pwrite", REAL(pwrite)(fd, data, n, where), REAL(pwrite)(fd, data, n / 2, where))
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t where) {
    WRITE("pwrite", REAL(pwrite64)(fd, data, n, where), REAL(pwrite64)(fd, data, n / 2, where))
}
ssize_t sendfile(int fd, int from, off_t *where, size_t n) {
    WRITE("sendfile", REAL(sendfile)(fd, from, where, n), REAL(sendfile)(fd, from, where, n / 2))
}
ssize_t sendfile64(int fd, int from, off64_t *where, size_t n) {
    WRITE("sendfile", REAL(sendfile64)(fd, from, where, n), REAL(sendfile64)(fd, from, where, n / 2))
}
int ftruncate(int fd, off_t n) { WRITE("ftruncate", REAL(ftruncate)(fd, n), 0) }
int ftruncate64(int fd, off64_t n) { WRITE("ftruncate", REAL(ftruncate64)(fd, n), 0) }

#define FLUSH(call)                                        \
    char b[LONGEST];                                       \
    STOP("fsync", name_fd(fd, b), EIO)                     \
    int done = call;                                       \
    if (done == 0) mark_fd(fd, 0);                         \
    return done;
int fsync(int fd) { FLUSH(REAL(fsync)(fd)) }
int fdatasync(int fd) { FLUSH(REAL(fdatasync)(fd)) }

static int renamed(int from, const char *a, int to, const char *b) {
    char x[LONGEST], y[LONGEST];
    const char *old = full(from, a, x), *new = full(to, b, y);
    STOP("rename", below(new) ? new : old, ENOSPC)
    int done = REAL(renameat)(from, a, to, b);
    if (done == 0 && below(new)) mark_folder(old), mark_folder(new);
    return done;
}
int rename(const char *a, const char *b) { return renamed(AT_FDCWD, a, AT_FDCWD, b); }
int renameat(int from, const char *a, int to, const char *b) { return renamed(from, a, to, b); }

#define NAME(call_name, dir, path, error, marks, call)          \
    char b[LONGEST];                                       \
    const char *name = full(dir, path, b);                 \
    STOP(call_name, name, error)                                \
    int done = call;                                       \
    if (done == 0 && marks && below(name)) mark_folder(name); \
    return done;
int link(const char *a, const char *to) { NAME("link", AT_FDCWD, to, ENOSPC, 1, REAL(link)(a, to)) }
int linkat(int f, const char *a, int t, const char *to, int flags) {
    NAME("link", t, to, ENOSPC, 1, REAL(linkat)(f, a, t, to, flags))
}
int unlink(const char *path) { NAME("unlink", AT_FDCWD, path, EIO, 0, REAL(unlink)(path)) }
int unlinkat(int dir, const char *path, int flags) { NAME("unlink", dir, path, EIO, 0, REAL(unlinkat)(dir, path, flags)) }
int rmdir(const char *path) { NAME("rmdir", AT_FDCWD, path, EIO, 0, REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { NAME("mkdir", AT_FDCWD, path, ENOSPC, 1, REAL(mkdir)(path, mode)) }
int mkdirat(int dir, const char *path, mode_t mode) { NAME("mkdir", dir, path, ENOSPC, 1, REAL(mkdirat)(dir, path, mode)) }
