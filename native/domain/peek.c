#include "domain/peek.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* System calls are made without libc's wrappers, which sanitizers watch. */

static bool copy_process(void *target, const void *source, size_t size)
{
    const struct iovec to = {.iov_base = target, .iov_len = size};
    const struct iovec from = {.iov_base = (void *)source, .iov_len = size};
    return syscall(SYS_process_vm_readv, (long)getpid(), &to, 1L, &from, 1L, 0L) == (long)size;
}

/* Where process_vm_readv is forbidden (containers of old) or missing: a pipe takes them. */
static bool copy_pipe(void *target, const void *source, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    const bool copied = syscall(SYS_write, (long)ends[1], source, size) == (long)size &&
                        syscall(SYS_read, (long)ends[0], target, size) == (long)size;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return copied;
}

bool hy__peek(void *target, const void *source, size_t size)
{
    const int saved_errno = errno;
    const bool copied =
        copy_process(target, source, size) || (errno != EFAULT && copy_pipe(target, source, size));
    errno = saved_errno;
    return copied;
}
