/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls at a running time, by the element's clock, while it plays. Any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstFalAlarm GstFalAlarm;

/* @call is called on the clock's thread, and is not under way any more once the alarm is freed. It
 * must not wait. @element is borrowed. */
GstFalAlarm *gst_fal_alarm_new (GstElement *element, void (*call) (gpointer user), gpointer user);
void gst_fal_alarm_free (GstFalAlarm *alarm);

/* To be called once at @running, instead of at what was set before; NONE: not at all. While the
 * element does not play running time stands still. */
void gst_fal_alarm_set (GstFalAlarm *alarm, GstClockTime running);
/* The element plays from now on, by the clock and the base time that it has; or it does not. */
void gst_fal_alarm_set_playing (GstFalAlarm *alarm, gboolean playing);

G_END_DECLS
