/*
 * The judge of power cuts, preloaded into a process that uses a store.
 *
 * Beside the real directory it keeps a shadow: the same files with only what fsync and fdatasync
 * have covered. At the cut the process ends at once, and the shadow is what a machine would find
 * after the power came back. In random mode each 4 KiB page that was not synced survives with a
 * given chance, in the version of the cut or in an earlier one; so do changes of length and names
 * of files that were never synced. What is taken for granted: a sync keeps its promise, a created
 * name is durable with the first sync of its file or directory, renames and removals at once.
 * sync_file_range makes nothing durable. A call that changes files and is not modelled here ends
 * the process with an error, so that the judge is never wrong in silence.
 *
 * MESHMQ_SHIM_ROOT, MESHMQ_SHIM_SHADOW   the directory and its shadow, absolute paths
 * MESHMQ_SHIM_CUT=n                      the power goes at the n-th change (0: never)
 * MESHMQ_SHIM_KILL=n                     the process dies at the n-th change, and the power stays
 * MESHMQ_SHIM_SURVIVE=p, MESHMQ_SHIM_SEED  percent of unsynced pages that survive; the dice
 * MESHMQ_SHIM_CARRY=1                    the process before was killed: all is taken for unsynced
 * MESHMQ_SHIM_IGNORE_FDATASYNC=1         fdatasync does nothing: the test of the test
 * MESHMQ_SHIM_FULL_AT=bytes              files cannot grow beyond this offset: ENOSPC
 * MESHMQ_SHIM_FAIL_SYNC=n                the n-th fdatasync fails with EIO and syncs nothing
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define FILES_MAX 512
#define CUT_EXIT 99

struct file {
    int used, named;      /* named: the shadow has the name */
    dev_t dev;
    ino_t ino;
    int resized;          /* since the last sync the length changed (1), or to nothing (2) */
    size_t pages;         /* length of dirty */
    unsigned char *dirty; /* one byte a page: written since the last sync */
    char path[PATH_MAX];  /* below the root */
};

static struct file files[FILES_MAX];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], shadow[PATH_MAX];
static long cut_at, kill_at, changes, survive, full_at, fail_sync, syncs;
static int ignore_fdatasync, carry;
static unsigned long long dice;

#define REAL(name) static __typeof__(name) *real_##name
REAL(open); REAL(pwrite); REAL(write); REAL(writev); REAL(ftruncate); REAL(fsync);
REAL(rename); REAL(unlink); REAL(rmdir); REAL(mkdir); REAL(mmap);

static long number(const char *name) { return getenv(name) ? atol(getenv(name)) : 0; }

__attribute__((constructor)) static void start(void) {
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)
    FIND(open), FIND(pwrite), FIND(write), FIND(writev), FIND(ftruncate), FIND(fsync);
    FIND(rename), FIND(unlink), FIND(rmdir), FIND(mkdir), FIND(mmap);
    if (getenv("MESHMQ_SHIM_ROOT") && getenv("MESHMQ_SHIM_SHADOW")) {
        snprintf(root, sizeof root, "%s", getenv("MESHMQ_SHIM_ROOT"));
        snprintf(shadow, sizeof shadow, "%s", getenv("MESHMQ_SHIM_SHADOW"));
    }
    cut_at = number("MESHMQ_SHIM_CUT"), kill_at = number("MESHMQ_SHIM_KILL");
    survive = number("MESHMQ_SHIM_SURVIVE");
    full_at = number("MESHMQ_SHIM_FULL_AT");
    fail_sync = number("MESHMQ_SHIM_FAIL_SYNC");
    carry = number("MESHMQ_SHIM_CARRY") == 1;
    ignore_fdatasync = number("MESHMQ_SHIM_IGNORE_FDATASYNC") == 1;
    dice = (unsigned long long)number("MESHMQ_SHIM_SEED") * 2654435761u + 88172645463325252ull;
}

static void give_up(const char *why) {
    dprintf(2, "power-cut shim: %s\n", why);
    _exit(98);
}

static int survives(long percent) {
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return (long)(dice % 100) < percent;
}

/* The part of a path below the root, or NULL. */
static const char *inside(const char *path) {
    size_t len = strlen(root);
    if (!len || !path || strncmp(path, root, len) || (path[len] && path[len] != '/')) return NULL;
    return path[len] ? path + len + 1 : path + len;
}

static const char *in_shadow(const char *below) {
    static __thread char buffers[2][2 * PATH_MAX];
    static __thread int turn;
    turn = !turn;
    snprintf(buffers[turn], sizeof buffers[turn], "%s/%s", shadow, below);
    return buffers[turn];
}

static struct file *by_path(const char *below) {
    for (int i = 0; i < FILES_MAX; i++)
        if (files[i].used && !strcmp(files[i].path, below)) return &files[i];
    return NULL;
}

static struct file *by_fd(int fd) {
    struct stat at;
    if (!root[0] || fstat(fd, &at)) return NULL;
    for (int i = 0; i < FILES_MAX; i++)
        if (files[i].used && files[i].ino == at.st_ino && files[i].dev == at.st_dev)
            return &files[i];
    return NULL;
}

static void forget(struct file *file) {
    if (!file) return;
    free(file->dirty);
    memset(file, 0, sizeof *file);
}

static void copy_page(int from, int to, size_t page) {
    char buffer[PAGE];
    ssize_t got = pread(from, buffer, PAGE, (off_t)page * PAGE);
    if (got < 0) give_up("cannot read the real file");
    if (got > 0 && real_pwrite(to, buffer, got, (off_t)page * PAGE) != got)
        give_up("cannot write the shadow");
}

/* The file may be open for writing only. */
static int open_real(struct file *file) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, file->path);
    int from = real_open(path, O_RDONLY);
    if (from < 0) give_up("cannot open the real file");
    return from;
}

static int open_shadow(struct file *file) {
    int to = real_open(in_shadow(file->path), O_CREAT | O_RDWR, 0600);
    if (to < 0) give_up("cannot open the shadow");
    file->named = 1;
    return to;
}

static void sync_file(struct file *file) {
    struct stat at;
    int from = open_real(file), to = open_shadow(file);
    if (file->resized == 2 && real_ftruncate(to, 0)) give_up("cannot empty the shadow");
    for (size_t page = 0; page < file->pages; page++)
        if (file->dirty[page]) copy_page(from, to, page);
    if (fstat(from, &at) || real_ftruncate(to, at.st_size)) give_up("cannot resize the shadow");
    if (file->pages) memset(file->dirty, 0, file->pages);
    file->resized = 0;
    close(from), close(to);
}

/* Names of new files become durable with their directory, as empty files. */
static void sync_names(const char *below) {
    size_t len = strlen(below);
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *file = &files[i];
        if (!file->used || file->named) continue;
        const char *name = strrchr(file->path, '/');
        size_t dir = name ? (size_t)(name - file->path) : 0;
        if (dir == len && !strncmp(file->path, below, len)) close(open_shadow(file));
    }
}

static void black_out(void) {
    for (int i = 0; survive && i < FILES_MAX; i++) {
        struct file *file = &files[i];
        struct stat at;
        if (!file->used || (!file->named && !survives(survive))) continue;
        int from = open_real(file), to = open_shadow(file);
        if (file->resized && survives(survive))
            if (fstat(from, &at) || real_ftruncate(to, at.st_size)) give_up("cannot resize");
        for (size_t page = 0; page < file->pages; page++)
            if (file->dirty[page] && survives(survive)) copy_page(from, to, page);
        close(from), close(to);
    }
    _exit(CUT_EXIT);
}

/* Every change is counted while the gate is held; the cut comes before the change. */
static void count(void) {
    if (++changes == kill_at) _exit(CUT_EXIT);
    if (changes == cut_at) black_out();
}

static void enter(void) {
    pthread_mutex_lock(&gate);
    count();
}

static void leave(void) {
    int kept = errno;
    pthread_mutex_unlock(&gate), errno = kept;
}

static void mark(struct file *file, off_t at, size_t len) {
    size_t first = at / PAGE, end = (at + len + PAGE - 1) / PAGE;
    if (end > file->pages) {
        size_t pages = end * 2;
        file->dirty = realloc(file->dirty, pages);
        if (!file->dirty) give_up("no memory");
        memset(file->dirty + file->pages, 0, pages - file->pages);
        file->pages = pages;
    }
    int from = -1, to = -1;
    for (size_t page = first; page < end; page++) {
        file->dirty[page] = 1;
        /* The kernel may write a page down long before anybody asks. */
        if (survive && file->named && survives(survive / 4)) {
            if (to < 0) from = open_real(file), to = open_shadow(file);
            copy_page(from, to, page);
        }
    }
    if (to >= 0) close(from), close(to);
    file->resized = 1;
}

static void track(int fd, const char *below) {
    struct stat at;
    if (fstat(fd, &at) || !S_ISREG(at.st_mode) || by_fd(fd)) return;
    struct file *file = files;
    while (file->used)
        if (++file == files + FILES_MAX) give_up("too many files");
    *file = (struct file){.used = 1, .dev = at.st_dev, .ino = at.st_ino};
    snprintf(file->path, sizeof file->path, "%s", below);
    file->named = !access(in_shadow(below), F_OK);
    if (carry && at.st_size) mark(file, 0, at.st_size);
}

static int open_any(const char *path, int flags, mode_t mode) {
    const char *below = inside(path);
    if (!below) return real_open(path, flags, mode);
    struct stat at;
    pthread_mutex_lock(&gate);
    if (flags & (O_CREAT | O_TRUNC)) count();
    int is_new = (flags & O_CREAT) && stat(path, &at);
    int fd = real_open(path, flags, mode);
    if (fd >= 0) {
        if (is_new) forget(by_fd(fd));
        track(fd, below);
        struct file *file = by_fd(fd);
        if (file && (flags & O_TRUNC) && !is_new) file->resized = 2;
    }
    return leave(), fd;
}

#define OPEN(name)                                                \
    int name(const char *path, int flags, ...) {                  \
        va_list more;                                             \
        va_start(more, flags);                                    \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
        va_end(more);                                             \
        return open_any(path, flags, mode);                       \
    }
OPEN(open)
OPEN(open64)

static ssize_t write_any(int fd, const void *bytes, size_t len, off_t at, int positioned) {
    pthread_mutex_lock(&gate);
    struct file *file = by_fd(fd);
    ssize_t done = -1;
    if (file) {
        count();
        if (!positioned) at = lseek(fd, 0, SEEK_CUR);
    }
    if (file && full_at && at + (off_t)len > full_at)
        errno = ENOSPC;
    else
        done = positioned ? real_pwrite(fd, bytes, len, at) : real_write(fd, bytes, len);
    if (file && done > 0) mark(file, at, done);
    return leave(), done;
}

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return write_any(fd, b, n, at, 1); }
ssize_t pwrite64(int fd, const void *b, size_t n, off_t at) { return write_any(fd, b, n, at, 1); }
ssize_t write(int fd, const void *b, size_t n) { return write_any(fd, b, n, 0, 0); }

static int truncate_any(int fd, off_t len) {
    enter();
    struct file *file = by_fd(fd);
    int result = real_ftruncate(fd, len);
    if (file) file->resized = 1;
    return leave(), result;
}
int ftruncate(int fd, off_t len) { return truncate_any(fd, len); }
int ftruncate64(int fd, off_t len) { return truncate_any(fd, len); }

static int sync_any(int fd) {
    struct file *file = by_fd(fd);
    if (file) return sync_file(file), 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len > 0) path[len] = 0;
    if (len <= 0 || !inside(path)) return real_fsync(fd);
    sync_names(inside(path));
    return 0;
}

int fsync(int fd) {
    enter();
    int result = sync_any(fd);
    return leave(), result;
}
int fdatasync(int fd) {
    enter();
    int result = 0;
    if (++syncs == fail_sync) {
        errno = EIO;
        result = -1;
    } else if (!ignore_fdatasync) {
        result = sync_any(fd);
    }
    return leave(), result;
}

int sync_file_range(int fd, off_t at, off_t len, unsigned flags) {
    enter();
    return leave(), 0;
}

int rename(const char *from, const char *to) {
    const char *old = inside(from), *new = inside(to);
    if (!old || !new) return real_rename(from, to);
    enter();
    int result = real_rename(from, to);
    if (!result) {
        struct file *file = by_path(old);
        size_t len = strlen(old);
        if (by_path(new) != file) forget(by_path(new));
        if (real_rename(in_shadow(old), in_shadow(new)) && file) {
            int empty = real_open(in_shadow(new), O_CREAT | O_TRUNC | O_WRONLY, 0600);
            if (empty < 0) give_up("cannot rename in the shadow");
            close(empty);
            file->named = 1;
        }
        for (int i = 0; i < FILES_MAX; i++) {
            char *path = files[i].path, rest[PATH_MAX];
            if (!files[i].used || strncmp(path, old, len) || (path[len] && path[len] != '/'))
                continue;
            snprintf(rest, sizeof rest, "%s", path + len);
            snprintf(path, PATH_MAX, "%.2000s%.2000s", new, rest);
        }
    }
    return leave(), result;
}

static int remove_any(const char *path, int (*real)(const char *)) {
    const char *below = inside(path);
    if (!below) return real(path);
    enter();
    int result = real(path);
    if (!result) {
        forget(by_path(below));
        real(in_shadow(below));
    }
    return leave(), result;
}
int unlink(const char *path) { return remove_any(path, real_unlink); }
int rmdir(const char *path) { return remove_any(path, real_rmdir); }

int mkdir(const char *path, mode_t mode) {
    const char *below = inside(path);
    if (!below) return real_mkdir(path, mode);
    enter();
    int result = real_mkdir(path, mode);
    if (!result) real_mkdir(in_shadow(below), mode);
    return leave(), result;
}

void *mmap(void *where, size_t len, int rights, int flags, int fd, off_t at) {
    if (real_mmap == NULL) real_mmap = dlsym(RTLD_NEXT, "mmap");
    if (fd >= 0 && (flags & MAP_SHARED) && (rights & PROT_WRITE) && by_fd(fd))
        give_up("a writable mapping is not modelled");
    return real_mmap(where, len, rights, flags, fd, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (by_fd(fd)) give_up("writev is not modelled");
    return real_writev(fd, parts, count);
}

#define NOT_MODELLED(name, type, ...) \
    type name(__VA_ARGS__) { give_up(#name " is not modelled"); return -1; }
NOT_MODELLED(renameat, int, int a, const char *b, int c, const char *d)
NOT_MODELLED(renameat2, int, int a, const char *b, int c, const char *d, unsigned e)
NOT_MODELLED(unlinkat, int, int a, const char *b, int c)
NOT_MODELLED(fallocate64, int, int a, int b, off_t c, off_t d)
NOT_MODELLED(pwritev, ssize_t, int a, const struct iovec *b, int c, off_t d)
NOT_MODELLED(copy_file_range, ssize_t, int a, off_t *b, int c, off_t *d, size_t e, unsigned f)
