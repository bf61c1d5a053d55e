/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard asks the kernel how much a socket received. Where the kernel does not tell, it watches
 * nothing. */
#include "socket-guard.h"
#include <sys/socket.h>
#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#endif

struct _FalSocketGuard {
  guint64 limit;
  GMutex lock;
  /* Below: lock. */
  GSocket *socket; /* NULL: disarmed */
  guint64 mark;    /* received when the last whole message came */
  guint64 seen;    /* received at the last look */
  gint64 heard;    /* when that had grown */
  FalSocketGuardState state;
  guint reason; /* of the cut */
};

/* Bytes received over the life of the socket; 0 where that is not known. */
static guint64
count_received_locked (const FalSocketGuard *guard)
{
#ifdef __linux__
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;

  if (guard->socket != NULL &&
      getsockopt (g_socket_get_fd (guard->socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
      size >= G_STRUCT_OFFSET (struct tcp_info, tcpi_bytes_received) + sizeof (guint64))
    return info.tcpi_bytes_received;
#endif
  return 0;
}

/* The bytes received so far; notes when they grew. */
static guint64
look_locked (FalSocketGuard *guard, gint64 now)
{
  guint64 received = count_received_locked (guard);

  if (received != guard->seen || received == 0)
    guard->heard = now;
  guard->seen = received;
  return received;
}

FalSocketGuard *
fal_socket_guard_new (GSocket *socket, guint64 limit, gint64 now)
{
  FalSocketGuard *guard = g_atomic_rc_box_new0 (FalSocketGuard);

  guard->socket = g_object_ref (socket);
  guard->limit = limit;
  guard->heard = now;
  g_mutex_init (&guard->lock);
  fal_socket_guard_note_message (guard, now);
  return guard;
}

FalSocketGuard *
fal_socket_guard_ref (FalSocketGuard *guard)
{
  return g_atomic_rc_box_acquire (guard);
}

static void
guard_clear (gpointer data)
{
  FalSocketGuard *guard = data;

  g_clear_object (&guard->socket);
  g_mutex_clear (&guard->lock);
}

void
fal_socket_guard_unref (FalSocketGuard *guard)
{
  g_atomic_rc_box_release_full (guard, guard_clear);
}

void
fal_socket_guard_note_message (FalSocketGuard *guard, gint64 now)
{
  g_mutex_lock (&guard->lock);
  guard->mark = look_locked (guard, now);
  g_mutex_unlock (&guard->lock);
}

static void
shut_locked (FalSocketGuard *guard, FalSocketGuardState state)
{
  if (guard->state != FAL_SOCKET_GUARD_CALM || guard->socket == NULL)
    return;
  guard->state = state;
  g_socket_shutdown (guard->socket, TRUE, TRUE, NULL);
}

gint64
fal_socket_guard_check (FalSocketGuard *guard, gint64 now)
{
  gint64 heard;

  g_mutex_lock (&guard->lock);
  if (look_locked (guard, now) > guard->mark + guard->limit)
    shut_locked (guard, FAL_SOCKET_GUARD_OVERFLOWN);
  heard = guard->heard;
  g_mutex_unlock (&guard->lock);
  return heard;
}

void
fal_socket_guard_cut (FalSocketGuard *guard, guint reason)
{
  g_mutex_lock (&guard->lock);
  guard->reason = reason;
  shut_locked (guard, FAL_SOCKET_GUARD_CUT);
  g_mutex_unlock (&guard->lock);
}

void
fal_socket_guard_disarm (FalSocketGuard *guard)
{
  g_mutex_lock (&guard->lock);
  g_clear_object (&guard->socket);
  g_mutex_unlock (&guard->lock);
}

FalSocketGuardState
fal_socket_guard_get_state (FalSocketGuard *guard)
{
  FalSocketGuardState state;

  g_mutex_lock (&guard->lock);
  state = guard->state;
  g_mutex_unlock (&guard->lock);
  return state;
}

guint
fal_socket_guard_get_reason (FalSocketGuard *guard)
{
  guint reason;

  g_mutex_lock (&guard->lock);
  reason = guard->reason;
  g_mutex_unlock (&guard->lock);
  return reason;
}
