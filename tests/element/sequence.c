/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sequence.h"

struct _Sequence {
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
  Sequence *sequence = data;

  g_mutex_lock (&sequence->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    g_ptr_array_add (sequence->words, name_buffer (info->data));
  } else {
    g_ptr_array_add (sequence->words, g_strdup (name_event (info->data)));
    g_ptr_array_add (sequence->events, gst_event_ref (info->data));
  }
  g_cond_broadcast (&sequence->more);
  g_mutex_unlock (&sequence->lock);
  return GST_PAD_PROBE_OK;
}

Sequence *
sequence_new (GstPad *pad)
{
  Sequence *sequence = g_new0 (Sequence, 1);

  sequence->words = g_ptr_array_new_with_free_func (g_free);
  sequence->events = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_event_unref);
  g_mutex_init (&sequence->lock);
  g_cond_init (&sequence->more);
  sequence->pad = gst_object_ref (pad);
  sequence->probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      note, sequence, NULL);
  return sequence;
}

void
sequence_free (Sequence *sequence)
{
  gst_pad_remove_probe (sequence->pad, sequence->probe);
  gst_object_unref (sequence->pad);
  g_ptr_array_unref (sequence->words);
  g_ptr_array_unref (sequence->events);
  g_mutex_clear (&sequence->lock);
  g_cond_clear (&sequence->more);
  g_free (sequence);
}

/* With the lock held. */
static gchar *
join (const Sequence *sequence)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < sequence->words->len; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "", (gchar *) sequence->words->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* With the lock held. */
static guint
count (const Sequence *sequence, const gchar *word)
{
  guint n = 0;

  for (guint i = 0; i < sequence->words->len; i++)
    n += g_str_equal (sequence->words->pdata[i], word);
  return n;
}

/* With the lock held. */
static void
wait_for_more (Sequence *sequence, gint64 watchdog, const gchar *wanted)
{
  if (g_cond_wait_until (&sequence->more, &sequence->lock, watchdog))
    return;
  g_error ("waited in vain for \"%s\": there is \"%s\"", wanted, join (sequence));
}

static gint64
start_watchdog (void)
{
  return g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;
}

gchar *
sequence_dup (Sequence *sequence)
{
  gchar *text;

  g_mutex_lock (&sequence->lock);
  text = join (sequence);
  g_mutex_unlock (&sequence->lock);
  return text;
}

void
sequence_wait_for (Sequence *sequence, const gchar *word, guint times)
{
  gint64 watchdog = start_watchdog ();

  g_mutex_lock (&sequence->lock);
  while (count (sequence, word) < times)
    wait_for_more (sequence, watchdog, word);
  g_mutex_unlock (&sequence->lock);
}

guint
sequence_count (Sequence *sequence, const gchar *word)
{
  guint n;

  g_mutex_lock (&sequence->lock);
  n = count (sequence, word);
  g_mutex_unlock (&sequence->lock);
  return n;
}

void
sequence_expect (Sequence *sequence, const gchar *wanted)
{
  g_auto (GStrv) words = g_strsplit (wanted, " ", -1);
  g_autofree gchar *text = NULL;
  gint64 watchdog = start_watchdog ();

  g_mutex_lock (&sequence->lock);
  while (sequence->words->len < g_strv_length (words))
    wait_for_more (sequence, watchdog, wanted);
  text = join (sequence);
  g_mutex_unlock (&sequence->lock);
  g_assert_cmpstr (text, ==, wanted);
}

GstEvent *
sequence_get_event (Sequence *sequence, GstEventType type)
{
  GstEvent *found = NULL;

  g_mutex_lock (&sequence->lock);
  for (guint i = 0; i < sequence->events->len; i++)
    if (GST_EVENT_TYPE (sequence->events->pdata[i]) == type)
      found = sequence->events->pdata[i];
  g_assert_nonnull (found);
  gst_event_ref (found);
  g_mutex_unlock (&sequence->lock);
  return found;
}
