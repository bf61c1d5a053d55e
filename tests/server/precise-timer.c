/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The precise timer: a timerfd, whose clock is that of g_get_monotonic_time(). */
#include "precise-timer.h"
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct {
  GSource source;
  gint fd;
} PreciseTimer;

static gboolean
dispatch (GSource *source, GSourceFunc func, gpointer user)
{
  PreciseTimer *timer = (PreciseTimer *) source;
  guint64 times;

  if (read (timer->fd, &times, sizeof times) != sizeof times)
    return G_SOURCE_CONTINUE; /* it was set anew in between */
  return func (user);
}

static void
finalize (GSource *source)
{
  close (((PreciseTimer *) source)->fd);
}

static GSourceFuncs funcs = { .dispatch = dispatch, .finalize = finalize };

/* A time that is over makes it due at once; zero would stop it. */
void
fal_precise_timer_set (GSource *source, gint64 time)
{
  gint64 at = MAX (time, 1);
  const struct itimerspec when = { .it_value = { .tv_sec = at / G_USEC_PER_SEC,
                                       .tv_nsec = at % G_USEC_PER_SEC * 1000 } };

  timerfd_settime (((PreciseTimer *) source)->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void
fal_precise_timer_stop (GSource *source)
{
  const struct itimerspec never = { 0 };

  timerfd_settime (((PreciseTimer *) source)->fd, 0, &never, NULL);
}

GSource *
fal_precise_timer_new (gint64 time)
{
  GSource *source = g_source_new (&funcs, sizeof (PreciseTimer));
  PreciseTimer *timer = (PreciseTimer *) source;

  timer->fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer->fd < 0)
    g_error ("No timer: %s", g_strerror (errno));
  g_source_add_unix_fd (source, timer->fd, G_IO_IN);
  fal_precise_timer_set (source, time);
  return source;
}
