// What Glibc's module does not export: epoll, eventfd, accept4, and the socket constants that are macros.
#ifndef GATEHOUSE_LINUX_H
#define GATEHOUSE_LINUX_H
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

// These are declared only under _GNU_SOURCE, which the importer may not have set.
extern int pthread_setname_np(unsigned long thread, const char *name);
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags);

static const unsigned int gh_EPOLLET = 1u << 31;
static const unsigned int gh_EPOLLEXCLUSIVE = 1u << 28;
static const int gh_SOCK_STREAM_FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int gh_SOCK_NONBLOCK_CLOEXEC = SOCK_NONBLOCK | SOCK_CLOEXEC;

// Under _GNU_SOURCE as well; the same number on all machines that we build for.
#ifdef O_PATH
static const int gh_O_PATH_FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC;
#else
static const int gh_O_PATH_FLAGS = 010000000 | O_NOFOLLOW | O_CLOEXEC;
#endif

// Writes what there is room for, and never waits (RWF_NOWAIT); EOPNOTSUPP where that cannot be asked
// of such a file, as of pipes before Linux 6.4.
static inline ssize_t gh_write_at_once(int fd, const void *bytes, size_t count) {
    struct iovec part = {(void *)bytes, count};
    return pwritev2(fd, &part, 1, -1, 0x8);
}

static inline void gh_forbid_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// `errno` is a macro over a thread-local; Swift sees only functions.
static inline int gh_errno(void) { return errno; }
#endif
