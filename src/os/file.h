/*
 * Files and folders, with durability said explicitly: what is "durable" is on the disk when the call returns.
 * Paths are NUL-terminated: this is the library's door. Errors name the path.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include <sys/types.h>
#include <unistd.h>

static inline void fd_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define FD_SCOPED __attribute__((cleanup(fd_close)))

/* "a/b" from "a" and "b"; both may be anything but absolute in the second place. */
struct str path_join(struct arena *a, struct str folder, struct str name);

/* The folder and those above it that are missing, each with `mode`. One that exists keeps its mode. */
MUST_CHECK int file_make_folders(const char *path, mode_t mode, struct err *err);
/* Appends the whole file; ERR_LIMIT past the buffer's cap. */
MUST_CHECK int file_read(const char *path, struct buf *to, struct err *err);
/* Replaces the file by rename: readers see the old or the new content, also after a crash. Durable. */
MUST_CHECK int file_write_atomic(const char *path, struct str content, mode_t mode, struct err *err);
/* All bytes, whatever write() does; ERR_NO_SPACE on a full disk. */
MUST_CHECK int file_write_all(int fd, const void *p, size_t n, struct err *err);
MUST_CHECK int file_pread_all(int fd, void *p, size_t n, uint64_t offset, struct err *err);
MUST_CHECK int file_sync(int fd, struct err *err);                  /* fdatasync */
MUST_CHECK int file_sync_folder(const char *path, struct err *err); /* makes names in it durable */
bool file_exists(const char *path);
/* Not there is fine. Follows no symbolic links. */
MUST_CHECK int file_remove_tree(const char *path, struct err *err);

#endif
