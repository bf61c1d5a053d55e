/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiting.h"

Wait
wait_begin (guint interval, const gchar *condition, const gchar *place)
{
  return (Wait){ interval, g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC, condition,
    place };
}

gboolean
wait_goes_on (Wait *wait)
{
  if (g_get_monotonic_time () >= wait->end)
    return FALSE;
  g_usleep (wait->interval);
  return TRUE;
}

static gchar *
describe (GstElement *element)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *figures = NULL;
  gint state;

  if (element == NULL)
    return g_strdup ("no more is known");
  g_object_get (element, "stats", &stats, "connection-state", &state, NULL);
  figures = gst_structure_to_string (stats);
  return g_strdup_printf ("connection-state %d, %s", state, figures);
}

void
wait_fail (const Wait *wait, GstElement *element)
{
  g_autofree gchar *description = describe (element);

  g_error ("%s: waited in vain for \"%s\": %s", wait->place, wait->condition, description);
}

void
pace_until (gint64 moment)
{
  gint64 now = g_get_monotonic_time ();

  if (moment > now)
    g_usleep (moment - now);
}

void
pace_for (gint64 interval)
{
  pace_until (g_get_monotonic_time () + interval);
}
