// What Glibc's module does not export: epoll, eventfd, accept4, and the socket constants that are macros.
#ifndef GATEHOUSE_LINUX_H
#define GATEHOUSE_LINUX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// accept4 is declared only under _GNU_SOURCE, which the importer may not have set.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

static const unsigned int gh_EPOLLET = 1u << 31;
static const unsigned int gh_EPOLLEXCLUSIVE = 1u << 28;
static const int gh_SOCK_STREAM_FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int gh_SOCK_NONBLOCK_CLOEXEC = SOCK_NONBLOCK | SOCK_CLOEXEC;

// `errno` is a macro over a thread-local; Swift sees only functions.
static inline int gh_errno(void) { return errno; }
#endif
