/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The alarm: one wait of the element's clock at a time. The clock may still call while that is
 * taken back, so the alarm lives until the clock has let go of it, too. */
#include "gstfalalarm.h"

struct _GstFalAlarm {
  GMutex lock;
  /* Everything below: lock. It is not held while the clock is told, which may call at once. */
  GstElement *element;
  void (*call) (gpointer user); /* NULL: the alarm was freed */
  gpointer user;
  GstClockTime running; /* NONE: it is not set, or has called */
  GstClockID id;        /* of the last wait; NULL: there was none */
  gboolean playing;
};

GstFalAlarm *
gst_fal_alarm_new (GstElement *element, void (*call) (gpointer user), gpointer user)
{
  GstFalAlarm *alarm = g_atomic_rc_box_new0 (GstFalAlarm);

  g_mutex_init (&alarm->lock);
  alarm->element = element;
  alarm->call = call;
  alarm->user = user;
  alarm->running = GST_CLOCK_TIME_NONE;
  return alarm;
}

static void
clear_alarm (gpointer data)
{
  g_mutex_clear (&((GstFalAlarm *) data)->lock);
}

static void
unref_alarm (gpointer alarm)
{
  g_atomic_rc_box_release_full (alarm, clear_alarm);
}

static gboolean
on_time (GstClock *clock, GstClockTime time, GstClockID id, gpointer user)
{
  GstFalAlarm *alarm = user;

  g_mutex_lock (&alarm->lock);
  alarm->running = GST_CLOCK_TIME_NONE;
  if (alarm->call != NULL)
    alarm->call (alarm->user);
  g_mutex_unlock (&alarm->lock);
  return TRUE;
}

static void
take_back (GstClockID id)
{
  if (id == NULL)
    return;
  gst_clock_id_unschedule (id);
  gst_clock_id_unref (id);
}

/* Has the clock call at @time of its own, in place of the wait before. */
static void
arm (GstFalAlarm *alarm, GstClock *clock, GstClockTime time)
{
  GstClockID id = gst_clock_new_single_shot_id (clock, time), old;

  g_mutex_lock (&alarm->lock);
  old = alarm->id;
  alarm->id = gst_clock_id_ref (id);
  g_mutex_unlock (&alarm->lock);
  take_back (old);
  gst_clock_id_wait_async (id, on_time, g_atomic_rc_box_acquire (alarm), unref_alarm);
  gst_clock_id_unref (id);
}

static void
disarm (GstFalAlarm *alarm)
{
  GstClockID old;

  g_mutex_lock (&alarm->lock);
  old = g_steal_pointer (&alarm->id);
  g_mutex_unlock (&alarm->lock);
  take_back (old);
}

/* The time that was set last, or has been set meanwhile. */
static void
renew (GstFalAlarm *alarm)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (alarm->element);
  GstClockTime base = gst_element_get_base_time (alarm->element), running;

  g_mutex_lock (&alarm->lock);
  running = alarm->playing ? alarm->running : GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&alarm->lock);
  if (clock != NULL && GST_CLOCK_TIME_IS_VALID (running))
    arm (alarm, clock, base + running);
  else
    disarm (alarm);
}

void
gst_fal_alarm_set (GstFalAlarm *alarm, GstClockTime running)
{
  gboolean same;

  g_mutex_lock (&alarm->lock);
  same = alarm->running == running;
  alarm->running = running;
  g_mutex_unlock (&alarm->lock);
  if (!same)
    renew (alarm);
}

void
gst_fal_alarm_set_playing (GstFalAlarm *alarm, gboolean playing)
{
  g_mutex_lock (&alarm->lock);
  alarm->playing = playing;
  g_mutex_unlock (&alarm->lock);
  renew (alarm);
}

void
gst_fal_alarm_free (GstFalAlarm *alarm)
{
  g_mutex_lock (&alarm->lock);
  alarm->call = NULL;
  g_mutex_unlock (&alarm->lock);
  disarm (alarm);
  unref_alarm (alarm);
}
