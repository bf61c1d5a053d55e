/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer is a GSource whose ready time is all that it waits for: GLib wakes the context's thread
 * when another thread changes it. */
#include "timer.h"

struct _FalTimer {
  GSource source;
  void (*fired) (gpointer user);
  gpointer user;
};

/* Another thread may have set a later time after the context found the source ready. */
static gboolean
is_due (GSource *source)
{
  gint64 time = g_source_get_ready_time (source);

  return time >= 0 && time <= g_source_get_time (source);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  FalTimer *timer = (FalTimer *) source;

  if (!is_due (source))
    return G_SOURCE_CONTINUE;
  g_source_set_ready_time (source, -1);
  timer->fired (timer->user);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch };

FalTimer *
fal_timer_new (GMainContext *context, void (*fired) (gpointer user), gpointer user)
{
  FalTimer *timer = (FalTimer *) g_source_new (&timer_funcs, sizeof (FalTimer));

  timer->fired = fired;
  timer->user = user;
  g_source_attach (&timer->source, context);
  return timer;
}

void
fal_timer_set (FalTimer *timer, gint64 time)
{
  g_source_set_ready_time (&timer->source, time == G_MAXINT64 ? -1 : MAX (time, 0));
}

void
fal_timer_free (FalTimer *timer)
{
  g_source_destroy (&timer->source);
  g_source_unref (&timer->source);
}

GSource *
fal_timer_get_source (FalTimer *timer)
{
  return &timer->source;
}
