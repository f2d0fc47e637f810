/* Preloaded into a node: a disk whose syncs fail or hang, once the file named by MESHMQ_SYNC_ORDER
 * says `fail` or `hang`. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd) {
    char order[8] = "";
    const char *path = getenv("MESHMQ_SYNC_ORDER");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (!fgets(order, sizeof order, file)) order[0] = 0;
        fclose(file);
    }
    if (order[0] == 'f') {
        errno = EIO;
        return -1;
    }
    while (order[0] == 'h') pause();
    return syscall(SYS_fdatasync, fd);
}
