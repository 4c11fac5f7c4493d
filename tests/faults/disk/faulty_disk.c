/* A disk that fails on demand, under a program that knows nothing of it (LD_PRELOAD, see ld.so(8)).
 *
 * FAULTY_FOLDER is the folder that fails. While the file FAULTY_SWITCH exists, it says how:
 *     ERRNO DELAY_MS OPERATIONS
 * such as `5 0 ws`: w write, s sync, o open for writing, r rename, u unlink, t truncate. An ERRNO of 0 only delays.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(char operation, const char *path)
{
    const char *folder = getenv("FAULTY_FOLDER"), *file = getenv("FAULTY_SWITCH");
    int number = 0, delay_ms = 0;
    char operations[16] = "";
    if (folder == NULL || file == NULL || strncmp(path, folder, strlen(folder)) != 0)
        return 0;
    FILE *said = fopen(file, "r");
    if (said == NULL)
        return 0;
    int fields = fscanf(said, "%d %d %15s", &number, &delay_ms, operations);
    fclose(said);
    if (fields != 3 || strchr(operations, operation) == NULL)
        return 0;
    usleep(1000 * (useconds_t)delay_ms);
    errno = number;
    return number != 0;
}

static int descriptor_fails(char operation, int descriptor)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    return fails(operation, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && fails('o', path))
        return -1;
    return REAL(open64)(path, flags, mode);
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    return descriptor_fails('w', descriptor) ? -1 : REAL(write)(descriptor, data, size);
}

int fdatasync(int descriptor)
{
    return descriptor_fails('s', descriptor) ? -1 : REAL(fdatasync)(descriptor);
}

int fsync(int descriptor)
{
    return descriptor_fails('s', descriptor) ? -1 : REAL(fsync)(descriptor);
}

int rename(const char *old, const char *new)
{
    return fails('r', new) ? -1 : REAL(rename)(old, new);
}

int unlink(const char *path)
{
    return fails('u', path) ? -1 : REAL(unlink)(path);
}

int ftruncate64(int descriptor, off64_t size)
{
    return descriptor_fails('t', descriptor) ? -1 : REAL(ftruncate64)(descriptor, size);
}
