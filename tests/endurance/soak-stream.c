/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output's order is looked at in a probe, on the element's source task; all else is the test's
 * own thread's. */
#include "soak-stream.h"
#include "../element/waiting.h"

#include <string.h>

#define NULL_LIMIT (250 * G_TIME_SPAN_MILLISECOND)
/* One for an outage and one a second for single frames are allowed, and outages follow each other.
 */
#define MOST_WARNINGS_A_SECOND 5
/* No stream here plays for so long: a time beyond it is none. */
#define FARTHEST (24 * 3600 * GST_SECOND)

struct _SoakStream {
  const SoakKind *kind;
  GstElement *pipeline, *filter;
  GstBus *bus;
  guint warnings;
  gint64 second; /* when the one began in which recent_warnings are counted, µs */
  guint recent_warnings;
  guint seen_shown;
  gint64 seen_at; /* when it was another number, µs */

  gint shown; /* atomic */

  /* Below: the source task's. */
  GstSegment segment;
  gboolean has_segment, has_caps, over;
  GstClockTime last; /* running time of a buffer */
};

/* ---- the input ---- */

/* After a flushing seek a live source may begin before time 0, whose stamps are none: they do not
 * come in. */
static GstPadProbeReturn
on_input (GstPad *pad, GstPadProbeInfo *info, gpointer stream)
{
  if (GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)) <= FARTHEST)
    return GST_PAD_PROBE_OK;
  g_print ("%s: a frame without a time comes in\n", ((SoakStream *) stream)->kind->name);
  return GST_PAD_PROBE_DROP;
}

/* ---- the output ---- */

static void
look_at_buffer (SoakStream *stream, GstBuffer *buffer)
{
  GstClockTime running;

  g_assert_true (stream->has_caps && stream->has_segment && !stream->over);
  running =
      gst_segment_to_running_time (&stream->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (running) || running > FARTHEST ||
      (GST_CLOCK_TIME_IS_VALID (stream->last) && running < stream->last)) {
    g_autofree gchar *text = gst_info_strdup_printf ("after %" GST_TIME_FORMAT " %" GST_PTR_FORMAT
                                                     " in %" GST_SEGMENT_FORMAT,
        GST_TIME_ARGS (stream->last), buffer, &stream->segment);

    g_error ("%s: %s", stream->kind->name, text);
  }
  stream->last = running;
  g_atomic_int_inc (&stream->shown);
}

/* Every frame was decided on before it goes out. */
static void
look_at_end (SoakStream *stream)
{
  Books books = books_read (stream->filter);

  g_assert_cmpuint (books.waiting, ==, 0);
  g_assert_cmpuint (books.in_flight, ==, 0);
  stream->over = TRUE;
}

static void
look_at_event (SoakStream *stream, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START:
    stream->has_caps = FALSE;
    G_GNUC_FALLTHROUGH;
  case GST_EVENT_FLUSH_STOP:
    stream->has_segment = stream->over = FALSE;
    stream->last = GST_CLOCK_TIME_NONE;
    break;
  case GST_EVENT_CAPS:
    stream->has_caps = TRUE;
    break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &stream->segment);
    stream->has_segment = TRUE;
    break;
  case GST_EVENT_EOS:
    look_at_end (stream);
    break;
  default:
    break;
  }
}

static GstPadProbeReturn
on_output (GstPad *pad, GstPadProbeInfo *info, gpointer stream)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    look_at_buffer (stream, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    look_at_event (stream, GST_PAD_PROBE_INFO_EVENT (info));
  return GST_PAD_PROBE_OK;
}

/* ---- the bus ---- */

/* What the source says of the same ERROR is on the bus by READY, and no news. */
static void
begin_anew (SoakStream *stream)
{
  soak_stream_set_state (stream, GST_STATE_READY);
  gst_bus_set_flushing (stream->bus, TRUE);
  gst_bus_set_flushing (stream->bus, FALSE);
  soak_stream_set_state (stream, GST_STATE_PLAYING);
}

static void
count_warning (SoakStream *stream)
{
  gint64 now = g_get_monotonic_time ();

  if (now - stream->second > G_USEC_PER_SEC) {
    stream->second = now;
    stream->recent_warnings = 0;
  }
  stream->warnings++;
  g_assert_cmpuint (++stream->recent_warnings, <=, MOST_WARNINGS_A_SECOND);
}

static void
on_error (SoakStream *stream, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  if (strstr (error->message, "no connection ever stood") == NULL)
    g_error ("%s: ERROR \"%s\", %s", stream->kind->name, error->message, debug);
  begin_anew (stream);
}

static void
on_message (SoakStream *stream, GstMessage *message)
{
  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_EOS:
    begin_anew (stream);
    break;
  case GST_MESSAGE_LATENCY:
    gst_bin_recalculate_latency (GST_BIN (stream->pipeline));
    break;
  case GST_MESSAGE_WARNING:
    count_warning (stream);
    break;
  case GST_MESSAGE_ERROR:
    on_error (stream, message);
    break;
  default:
    break;
  }
}

/* ---- life ---- */

static void
add_probe (SoakStream *stream, const gchar *name, GstPadProbeType type, GstPadProbeCallback probe)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->filter, name);

  gst_pad_add_probe (pad, type, probe, stream, NULL);
}

SoakStream *
soak_stream_new (const SoakKind *kind, const gchar *uri)
{
  SoakStream *stream = g_new0 (SoakStream, 1);
  g_autofree gchar *description = g_strdup_printf (
      "%s ! falrealtimefilter name=fal app=soak/app/image base-uri=%s token=soak "
      "image-field=image_bytes image-encoding=bytes request-timeout=2000 retry-delay=50 "
      "max-retry-delay=500 %s ! %s",
      kind->source, uri, kind->properties, kind->sink);
  g_autoptr (GError) error = NULL;

  stream->kind = kind;
  stream->last = GST_CLOCK_TIME_NONE;
  stream->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  stream->filter = gst_bin_get_by_name (GST_BIN (stream->pipeline), "fal");
  stream->bus = gst_element_get_bus (stream->pipeline);
  add_probe (stream, "sink", GST_PAD_PROBE_TYPE_BUFFER, on_input);
  add_probe (stream, "src",
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      on_output);
  soak_stream_set_state (stream, GST_STATE_PLAYING);
  stream->seen_at = g_get_monotonic_time ();
  return stream;
}

void
soak_stream_free (SoakStream *stream)
{
  soak_stream_set_state (stream, GST_STATE_NULL);
  books_read (stream->filter);
  gst_object_unref (stream->filter);
  gst_object_unref (stream->bus);
  gst_object_unref (stream->pipeline);
  g_free (stream);
}

void
soak_stream_set_state (SoakStream *stream, GstState state)
{
  GstStateChangeReturn result;

  if (state <= GST_STATE_READY)
    EXPECT_WITHIN (NULL_LIMIT, result = gst_element_set_state (stream->pipeline, state));
  else
    result = gst_element_set_state (stream->pipeline, state);
  g_assert_cmpint (result, !=, GST_STATE_CHANGE_FAILURE);
}

void
soak_stream_seek (SoakStream *stream)
{
  gst_element_seek_simple (stream->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
}

/* ---- questions ---- */

Books
soak_stream_look (SoakStream *stream)
{
  gint64 now = g_get_monotonic_time ();
  guint shown = soak_stream_get_shown (stream);
  GstMessage *message;

  while ((message = gst_bus_pop (stream->bus)) != NULL) {
    on_message (stream, message);
    gst_message_unref (message);
  }
  if (shown != stream->seen_shown) {
    stream->seen_shown = shown;
    stream->seen_at = now;
  } else if (now - stream->seen_at > WATCHDOG_SECONDS * G_USEC_PER_SEC) {
    const Wait wait = { .condition = stream->kind->name, .place = G_STRLOC };

    wait_fail (&wait, stream->filter);
  }
  return books_read (stream->filter);
}

GstElement *
soak_stream_get_filter (SoakStream *stream)
{
  return stream->filter;
}

const gchar *
soak_stream_get_name (SoakStream *stream)
{
  return stream->kind->name;
}

guint
soak_stream_get_warnings (SoakStream *stream)
{
  return stream->warnings;
}

guint
soak_stream_get_shown (SoakStream *stream)
{
  return g_atomic_int_get (&stream->shown);
}
