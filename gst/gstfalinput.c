/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each frame goes to the session as a sample, with the caps and the segment that it came with. */
#include "gstfalinput.h"

GST_DEBUG_CATEGORY_EXTERN (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalInput {
  GstPad *pad;
  FalSession *session;
  GstFalOutput *output;

  /* These belong to the pad's streaming thread, or to whoever has stopped it. */
  GstCaps *caps;       /* NULL: none came */
  GstSegment segment;  /* its format is UNDEFINED until one came */
  gboolean live_known; /* upstream was asked whether this stream is live */
};

gboolean
gst_fal_input_answer_latency (GstFalInput *input, GstQuery *query)
{
  gboolean live;
  GstClockTime least, most, ours;

  if (!gst_pad_peer_query (input->pad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &least, &most);
  fal_session_set_live (input->session, live);
  ours = fal_session_get_latency (input->session);
  least += ours;
  if (GST_CLOCK_TIME_IS_VALID (most))
    most = MAX (most + ours, least);
  gst_query_set_latency (query, live, least, most);
  return TRUE;
}

/* A pipeline that plays already asks for no latency by itself: where that of the element is another
 * now, it is told to. */
static void
find_out_whether_live (GstFalInput *input)
{
  GstElement *element = GST_ELEMENT (GST_PAD_PARENT (input->pad));
  GstClockTime latency = fal_session_get_latency (input->session);
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  input->live_known = TRUE;
  gst_fal_input_answer_latency (input, query);
  if (fal_session_get_latency (input->session) != latency)
    gst_element_post_message (element, gst_message_new_latency (GST_OBJECT (element)));
  GST_INFO_OBJECT (element, "the pipeline is %s",
      fal_session_is_live (input->session) ? "live: old frames give way to new ones"
                                           : "not live: no frame is lost");
}

GstFlowReturn
gst_fal_input_chain (GstFalInput *input, GstBuffer *buffer)
{
  GstSample *frame;

  if (input->caps == NULL) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (!input->live_known)
    find_out_whether_live (input);
  frame = gst_sample_new (buffer, input->caps, &input->segment, NULL);
  gst_buffer_unref (buffer);
  return fal_session_push (input->session, frame);
}

/* They do not go further: downstream gets the caps of the results. */
static gboolean
take_caps (GstFalInput *input, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  GST_INFO_OBJECT (GST_PAD_PARENT (input->pad), "frames are %" GST_PTR_FORMAT, caps);
  gst_caps_replace (&input->caps, caps);
  gst_event_unref (event);
  return TRUE;
}

/* The event goes out in its place among the frames. */
static gboolean
queue_event (GstFalInput *input, GstEvent *event)
{
  if (fal_session_push_event (input->session, event))
    return TRUE;
  gst_fal_output_report_flow (input->output, GST_FLOW_ERROR);
  return FALSE;
}

gboolean
gst_fal_input_event (GstFalInput *input, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    return gst_fal_output_start_flush (input->output, event);
  case GST_EVENT_FLUSH_STOP:
    gst_segment_init (&input->segment, GST_FORMAT_UNDEFINED);
    return gst_fal_output_stop_flush (input->output, event);
  case GST_EVENT_CAPS:
    return take_caps (input, event);
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &input->segment);
    break;
  case GST_EVENT_STREAM_START:
    input->live_known = FALSE;
    break;
  default:
    break;
  }
  if (GST_EVENT_IS_SERIALIZED (event))
    return queue_event (input, event);
  return gst_pad_event_default (input->pad, GST_OBJECT_PARENT (input->pad), event);
}

void
gst_fal_input_clear (GstFalInput *input)
{
  gst_clear_caps (&input->caps);
  gst_segment_init (&input->segment, GST_FORMAT_UNDEFINED);
  input->live_known = FALSE;
}

GstFalInput *
gst_fal_input_new (GstPad *pad, FalSession *session, GstFalOutput *output)
{
  GstFalInput *input = g_new0 (GstFalInput, 1);

  input->pad = pad;
  input->session = session;
  input->output = output;
  gst_fal_input_clear (input);
  return input;
}

void
gst_fal_input_free (GstFalInput *input)
{
  gst_fal_input_clear (input);
  g_free (input);
}
