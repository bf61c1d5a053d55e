/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program may ask of the library that makes its calls fail. The library is preloaded, so
 * that it is found by dlsym(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum {
  FAULTY_SOCKET,  /* socket: EMFILE */
  FAULTY_CONNECT, /* connect: ENETUNREACH */
  FAULTY_SEND,    /* send, sendto, sendmsg, sendmmsg: EPIPE */
  FAULTY_RECEIVE, /* recv, recvfrom, recvmsg: ECONNRESET */
  FAULTY_PIPE,    /* pipe, pipe2, socketpair, eventfd: EMFILE */
  FAULTY_THREAD,  /* pthread_create: EAGAIN */
  FAULTY_MEMORY,  /* g_try_malloc and its like, called by the plugin: NULL */
  FAULTY_KINDS
} FaultyKind;

/* From now on calls are counted, and call number @which of @kind, from 1, fails; 0: none does.
 * @shows: from where it was called goes to standard error. */
void faulty_calls_arm (FaultyKind kind, unsigned long which, bool shows);
void faulty_calls_disarm (void);

/* While it was armed: calls of that kind; whether the one that was to fail came; the largest
 * memory, in bytes, that the plugin asked for in a way that ends the process where there is none,
 * and from where. */
unsigned long faulty_calls_count (FaultyKind kind);
bool faulty_calls_failed (void);
size_t faulty_calls_unguarded (void **place);
