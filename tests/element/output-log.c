/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output-log.h"

struct _OutputLog {
  GstPad *pad;
  gulong probe;
  GMutex lock;
  GCond more;        /* lock */
  GPtrArray *words;  /* lock */
  GPtrArray *events; /* lock */
};

static gchar *
name_buffer (GstBuffer *buffer)
{
  guint64 n = gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), 30, GST_SECOND);
  gboolean discont = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);

  return g_strdup_printf ("frame%" G_GUINT64_FORMAT "%s", n, discont ? "!" : "");
}

static const gchar *
name_event (GstEvent *event)
{
  if (GST_EVENT_TYPE (event) >= GST_EVENT_CUSTOM_UPSTREAM)
    return gst_structure_get_name (gst_event_get_structure (event));
  return GST_EVENT_TYPE_NAME (event);
}

static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  OutputLog *log = data;

  g_mutex_lock (&log->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    g_ptr_array_add (log->words, name_buffer (info->data));
  } else {
    g_ptr_array_add (log->words, g_strdup (name_event (info->data)));
    g_ptr_array_add (log->events, gst_event_ref (info->data));
  }
  g_cond_broadcast (&log->more);
  g_mutex_unlock (&log->lock);
  return GST_PAD_PROBE_OK;
}

OutputLog *
output_log_new (GstPad *pad)
{
  OutputLog *log = g_new0 (OutputLog, 1);

  log->words = g_ptr_array_new_with_free_func (g_free);
  log->events = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_event_unref);
  g_mutex_init (&log->lock);
  g_cond_init (&log->more);
  log->pad = gst_object_ref (pad);
  log->probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      note, log, NULL);
  return log;
}

void
output_log_free (OutputLog *log)
{
  gst_pad_remove_probe (log->pad, log->probe);
  gst_object_unref (log->pad);
  g_ptr_array_unref (log->words);
  g_ptr_array_unref (log->events);
  g_mutex_clear (&log->lock);
  g_cond_clear (&log->more);
  g_free (log);
}

/* With the lock held. */
static gchar *
join (const OutputLog *log)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < log->words->len; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "", (gchar *) log->words->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* With the lock held. */
static guint
count (const OutputLog *log, const gchar *word)
{
  guint n = 0;

  for (guint i = 0; i < log->words->len; i++)
    n += g_str_equal (log->words->pdata[i], word);
  return n;
}

/* With the lock held. */
static void
wait_for_more (OutputLog *log, gint64 watchdog, const gchar *wanted)
{
  if (g_cond_wait_until (&log->more, &log->lock, watchdog))
    return;
  g_error ("waited in vain for \"%s\": there is \"%s\"", wanted, join (log));
}

static gint64
start_watchdog (void)
{
  return g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;
}

gchar *
output_log_dup (OutputLog *log)
{
  gchar *text;

  g_mutex_lock (&log->lock);
  text = join (log);
  g_mutex_unlock (&log->lock);
  return text;
}

void
output_log_wait_for (OutputLog *log, const gchar *word, guint times)
{
  gint64 watchdog = start_watchdog ();

  g_mutex_lock (&log->lock);
  while (count (log, word) < times)
    wait_for_more (log, watchdog, word);
  g_mutex_unlock (&log->lock);
}

guint
output_log_count (OutputLog *log, const gchar *word)
{
  guint n;

  g_mutex_lock (&log->lock);
  n = count (log, word);
  g_mutex_unlock (&log->lock);
  return n;
}

void
output_log_expect (OutputLog *log, const gchar *wanted)
{
  g_auto (GStrv) words = g_strsplit (wanted, " ", -1);
  g_autofree gchar *text = NULL;
  gint64 watchdog = start_watchdog ();

  g_mutex_lock (&log->lock);
  while (log->words->len < g_strv_length (words))
    wait_for_more (log, watchdog, wanted);
  text = join (log);
  g_mutex_unlock (&log->lock);
  g_assert_cmpstr (text, ==, wanted);
}

GstEvent *
output_log_get_event (OutputLog *log, GstEventType type)
{
  GstEvent *found = NULL;

  g_mutex_lock (&log->lock);
  for (guint i = 0; i < log->events->len; i++)
    if (GST_EVENT_TYPE (log->events->pdata[i]) == type)
      found = log->events->pdata[i];
  g_assert_nonnull (found);
  gst_event_ref (found);
  g_mutex_unlock (&log->lock);
  return found;
}
