/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline-fixture.h"

Pipeline *
pipeline_new (const FalServerOptions *options, const gchar *before, const gchar *properties,
    const gchar *after)
{
  Pipeline *p = g_new0 (Pipeline, 1);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *description = NULL;

  p->server = fixture_start_server (options);
  description =
      g_strdup_printf ("%s ! falrealtimefilter name=fal app=local/app base-uri=%s %s ! %s", before,
          fal_server_get_uri (p->server), properties, after);
  p->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  p->filter = gst_bin_get_by_name (GST_BIN (p->pipeline), "fal");
  p->bus = gst_element_get_bus (p->pipeline);
  return p;
}

void
pipeline_free (Pipeline *p)
{
  EXPECT_WITHIN (2 * G_USEC_PER_SEC, gst_element_set_state (p->pipeline, GST_STATE_NULL));
  gst_object_unref (p->filter);
  gst_object_unref (p->bus);
  gst_object_unref (p->pipeline);
  fal_server_free (p->server);
  g_free (p);
}

guint64
pipeline_stat (Pipeline *p, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (p->filter, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* The end or an ERROR; NULL: neither came. */
static GstMessage *
pop_end (Pipeline *p)
{
  const GstMessageType types = GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_LATENCY;
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND, left;
  GstMessage *message = NULL;

  while ((left = deadline - g_get_monotonic_time ()) > 0 &&
         (message = gst_bus_timed_pop_filtered (p->bus, left * GST_USECOND, types)) != NULL &&
         GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY) {
    gst_clear_message (&message);
    gst_bin_recalculate_latency (GST_BIN (p->pipeline));
  }
  return message;
}

void
pipeline_wait_for_end (Pipeline *p)
{
  g_autoptr (GstMessage) message = pop_end (p);

  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_error ("%s", error->message);
  }
}

void
pipeline_play (Pipeline *p)
{
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  pipeline_wait_for_end (p);
}

GstElement *
pipeline_find (Pipeline *p, const gchar *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (p->pipeline), name);

  g_assert_nonnull (element);
  gst_object_unref (element);
  return element;
}

guint64
pipeline_count_shown (Pipeline *p)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 rendered = 0;

  g_object_get (pipeline_find (p, "sink"), "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "rendered", &rendered));
  return rendered;
}

void
pipeline_add_probe (Pipeline *p, const gchar *name, GstPadProbeCallback probe, gpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (pipeline_find (p, name), "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, data, NULL);
}
