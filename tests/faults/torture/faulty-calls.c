/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into a program: counts its calls of one kind, and has the one with a given number fail
 * as the kernel, or the C library, would have it fail. All threads. It does nothing until it is
 * armed. */
#define _GNU_SOURCE /* RTLD_NEXT, pipe2 and others */
#include "faulty-calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <glib.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_RANGES 64

static atomic_bool armed;
static FaultyKind wanted;
static unsigned long number;
static bool traces;
static atomic_ulong counts[FAULTY_KINDS];
static atomic_bool failed;

/* Where the code of the plugin is in memory. */
static struct {
  uintptr_t from, to;
} ranges[MOST_RANGES];
static unsigned n_ranges;

static atomic_size_t unguarded_size;
static _Atomic (void *) unguarded_place;

/* ---- which call ---- */

static void
trace (void)
{
  void *frames[48];
  int n;

  n = backtrace (frames, 48);
  backtrace_symbols_fd (frames, n, STDERR_FILENO);
}

/* Counts the call; whether it is the one that fails. */
static bool
fails (FaultyKind kind)
{
  bool is_it;

  if (!armed)
    return false;
  is_it = atomic_fetch_add (&counts[kind], 1) + 1 == number && kind == wanted;
  if (traces && (is_it || (number == 0 && kind == wanted)))
    trace ();
  failed = failed || is_it;
  return is_it;
}

static bool
is_of_plugin (const void *caller)
{
  uintptr_t address = (uintptr_t) caller;

  for (unsigned i = 0; i < n_ranges; i++)
    if (address >= ranges[i].from && address < ranges[i].to)
      return true;
  return false;
}

#define NEXT(function)                                                                             \
  static __typeof__ (&function) next;                                                              \
                                                                                                   \
  if (next == NULL)                                                                                \
  next = (__typeof__ (&function)) dlsym (RTLD_NEXT, #function)

#define EXPORT __attribute__ ((visibility ("default")))

/* ---- the kernel ---- */

#define CALL(kind, error, type, function, parameters, ...)                                         \
  EXPORT type function parameters                                                                  \
  {                                                                                                \
    NEXT (function);                                                                               \
    if (!fails (kind))                                                                             \
      return next (__VA_ARGS__);                                                                   \
    errno = error;                                                                                 \
    return -1;                                                                                     \
  }

CALL (FAULTY_SOCKET, EMFILE, int, socket, (int domain, int type, int protocol), domain, type,
    protocol)
CALL (FAULTY_CONNECT, ENETUNREACH, int, connect,
    (int fd, const struct sockaddr *to, socklen_t size), fd, to, size)
CALL (FAULTY_SEND, EPIPE, ssize_t, send, (int fd, const void *data, size_t size, int flags), fd,
    data, size, flags)
CALL (FAULTY_SEND, EPIPE, ssize_t, sendto,
    (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length),
    fd, data, size, flags, to, length)
CALL (FAULTY_SEND, EPIPE, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), fd,
    message, flags)
CALL (FAULTY_SEND, EPIPE, int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned n, int flags),
    fd, messages, n, flags)
CALL (FAULTY_RECEIVE, ECONNRESET, ssize_t, recv, (int fd, void *data, size_t size, int flags), fd,
    data, size, flags)
CALL (FAULTY_RECEIVE, ECONNRESET, ssize_t, recvfrom,
    (int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *length), fd,
    data, size, flags, from, length)
CALL (FAULTY_RECEIVE, ECONNRESET, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), fd,
    message, flags)
CALL (FAULTY_PIPE, EMFILE, int, pipe, (int fds[2]), fds)
CALL (FAULTY_PIPE, EMFILE, int, pipe2, (int fds[2], int flags), fds, flags)
CALL (FAULTY_PIPE, EMFILE, int, socketpair, (int domain, int type, int protocol, int fds[2]),
    domain, type, protocol, fds)
CALL (FAULTY_PIPE, EMFILE, int, eventfd, (unsigned value, int flags), value, flags)

EXPORT int
pthread_create (
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *), void *data)
{
  NEXT (pthread_create);

  return fails (FAULTY_THREAD) ? EAGAIN : next (thread, attributes, start, data);
}

/* ---- memory ----
 * Where the plugin takes memory whose size is somebody else's to say it asks by g_try_*(). */

#define TRY(function, parameters, ...)                                                             \
  EXPORT gpointer (function) parameters                                                            \
  {                                                                                                \
    NEXT (function);                                                                               \
    if (is_of_plugin (__builtin_return_address (0)) && fails (FAULTY_MEMORY))                      \
      return NULL;                                                                                 \
    return next (__VA_ARGS__);                                                                     \
  }

TRY (g_try_malloc, (gsize size), size)
TRY (g_try_malloc0, (gsize size), size)
TRY (g_try_malloc_n, (gsize n, gsize size), n, size)
TRY (g_try_malloc0_n, (gsize n, gsize size), n, size)
TRY (g_try_realloc, (gpointer memory, gsize size), memory, size)
TRY (g_try_realloc_n, (gpointer memory, gsize n, gsize size), memory, n, size)

/* The largest that the plugin asks for by a function that aborts where there is none. */
static void
note_unguarded (const void *caller, size_t size)
{
  if (!armed || size <= unguarded_size || !is_of_plugin (caller))
    return;
  unguarded_size = size;
  unguarded_place = (void *) caller;
}

#define MUST(function, size, parameters, ...)                                                      \
  EXPORT gpointer (function) parameters                                                            \
  {                                                                                                \
    NEXT (function);                                                                               \
    note_unguarded (__builtin_return_address (0), size);                                           \
    return next (__VA_ARGS__);                                                                     \
  }

MUST (g_malloc, size, (gsize size), size)
MUST (g_malloc0, size, (gsize size), size)
MUST (g_malloc_n, n *size, (gsize n, gsize size), n, size)
MUST (g_malloc0_n, n *size, (gsize n, gsize size), n, size)
MUST (g_realloc, size, (gpointer memory, gsize size), memory, size)
MUST (g_realloc_n, n *size, (gpointer memory, gsize n, gsize size), memory, n, size)
MUST (g_memdup2, size, (gconstpointer memory, gsize size), memory, size)

/* ---- for the program ---- */

static int
add_ranges (struct dl_phdr_info *info, size_t size, void *data)
{
  if (strstr (info->dlpi_name, "/libgstfal.so") == NULL)
    return 0;
  for (int i = 0; i < info->dlpi_phnum && n_ranges < MOST_RANGES; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD) {
      ranges[n_ranges].from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      ranges[n_ranges].to = ranges[n_ranges].from + info->dlpi_phdr[i].p_memsz;
      n_ranges++;
    }
  return 0;
}

EXPORT void
faulty_calls_arm (FaultyKind kind, unsigned long which, bool shows)
{
  void *frame;

  backtrace (&frame, 1); /* loads what it needs */
  if (n_ranges == 0)
    dl_iterate_phdr (add_ranges, NULL);
  wanted = kind;
  number = which;
  traces = shows;
  armed = true;
}

EXPORT void
faulty_calls_disarm (void)
{
  armed = false;
}

EXPORT unsigned long
faulty_calls_count (FaultyKind kind)
{
  return counts[kind];
}

EXPORT bool
faulty_calls_failed (void)
{
  return failed;
}

EXPORT size_t
faulty_calls_unguarded (void **place)
{
  *place = unguarded_place;
  return unguarded_size;
}
