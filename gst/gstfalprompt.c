/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text's streaming thread adds cues to a list, and the frames' looks them up there. Either may
 * wait for the other: a frame for the text of its time, a cue for room in the list. */
#include "gstfalprompt.h"
#include "gstfalmessages.h"
#include "fal/policy/cue-list.h"
#include "fal/wire/cue.h"

GST_DEBUG_CATEGORY_EXTERN (fal_realtime_filter_debug);
#define GST_CAT_DEFAULT fal_realtime_filter_debug

struct _GstFalPrompt {
  GstElement *element; /* owns this */
  FalSession *session;

  /* These belong to the text's streaming thread, or to whoever has stopped it. */
  gboolean markup; /* the text is Pango's markup */
  FalNames *names; /* that inputs in cues may have */
  gboolean told;   /* a cue was warned of, since the start */

  GMutex lock; /* no other is taken, and nobody is called, while it is held */
  GCond changed;

  /* These are guarded by the lock. */
  GstPad *pad;       /* the element's; NULL: none was requested */
  gboolean linked;   /* else nobody waits for text */
  gboolean running;  /* between start and stop */
  gboolean released; /* the pad is about to go */
  gboolean text_flushes, frames_flush;
  gboolean frames_ended;
  guint seeks;        /* that are under way, and flush */
  GstSegment segment; /* of the text; its format is UNDEFINED until one came */
  FalCueList *cues;
};

static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE ("prompt", GST_PAD_SINK,
    GST_PAD_REQUEST, GST_STATIC_CAPS ("text/x-raw, format = (string) { utf8, pango-markup }"));

GstPadTemplate *
gst_fal_prompt_make_template (void)
{
  return gst_static_pad_template_get (&template);
}

/* ---- the lock ---- */

static void
lock (GstFalPrompt *prompt)
{
  g_mutex_lock (&prompt->lock);
}

static void
unlock_quietly (GstFalPrompt *prompt)
{
  g_mutex_unlock (&prompt->lock);
}

/* The end of a section that changed something: whoever waits looks again. */
static void
unlock (GstFalPrompt *prompt)
{
  g_cond_broadcast (&prompt->changed);
  g_mutex_unlock (&prompt->lock);
}

static void
forget_text_locked (GstFalPrompt *prompt)
{
  fal_cue_list_clear (prompt->cues);
  gst_segment_init (&prompt->segment, GST_FORMAT_UNDEFINED);
}

/* ---- times ---- */

/* The running time of @position, or of that end of the segment which it is beyond. */
static GstClockTime
to_running (const GstSegment *segment, GstClockTime position)
{
  if (GST_CLOCK_TIME_IS_VALID (segment->stop))
    position = MIN (position, segment->stop);
  position = MAX (position, segment->start);
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, position);
}

/* When the text of the segment begins. */
static GstClockTime
get_first (const GstSegment *segment)
{
  GstClockTime first = to_running (segment, segment->rate < 0 ? segment->stop : segment->start);

  return GST_CLOCK_TIME_IS_VALID (first) ? first : segment->base;
}

/* What plays backwards begins with its end, and a frame at the cue's own end is not within it. */
static void
turn_round (GstClockTime *start, GstClockTime *end)
{
  GstClockTime first = *start;

  *start = GST_CLOCK_TIME_IS_VALID (*end) ? *end + 1 : 0;
  *end = first + 1;
}

/* For which running times the text of @buffer holds; NONE as fal_cue_list_add() has it. FALSE: none
 * that are within the segment. */
static gboolean
get_times (const GstSegment *segment, GstBuffer *buffer, GstClockTime *start, GstClockTime *end)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer), duration = GST_BUFFER_DURATION (buffer);
  guint64 first, last = GST_CLOCK_TIME_NONE;

  *start = *end = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (pts))
    return TRUE;
  if (duration < GST_CLOCK_TIME_NONE - pts)
    last = pts + duration;
  if (!gst_segment_clip (segment, GST_FORMAT_TIME, pts, last, &first, &last))
    return FALSE;
  *start = gst_segment_to_running_time (segment, GST_FORMAT_TIME, first);
  *end = gst_segment_to_running_time (segment, GST_FORMAT_TIME, last);
  if (segment->rate < 0)
    turn_round (start, end);
  return TRUE;
}

/* ---- cues ---- */

static gboolean
takes_text_locked (const GstFalPrompt *prompt)
{
  return prompt->running && !prompt->released && !prompt->text_flushes;
}

static gboolean
takes_text (GstFalPrompt *prompt)
{
  gboolean takes;

  lock (prompt);
  takes = takes_text_locked (prompt);
  unlock_quietly (prompt);
  return takes;
}

/* @inputs are taken; NULL: it says nothing, but the text has come so far. */
static void
add_cue_locked (GstFalPrompt *prompt, GstBuffer *buffer, GstStructure *inputs)
{
  GstClockTime start, end;

  if (prompt->frames_ended || !get_times (&prompt->segment, buffer, &start, &end))
    g_clear_pointer (&inputs, gst_structure_free);
  else if (inputs != NULL)
    fal_cue_list_add (prompt->cues, start, end, inputs);
  else if (GST_CLOCK_TIME_IS_VALID (end))
    fal_cue_list_advance (prompt->cues, end);
}

/* The same; waits for room. */
static GstFlowReturn
add_cue (GstFalPrompt *prompt, GstBuffer *buffer, GstStructure *inputs)
{
  gboolean takes;

  lock (prompt);
  while (takes_text_locked (prompt) && !prompt->frames_ended && fal_cue_list_is_full (prompt->cues))
    g_cond_wait (&prompt->changed, &prompt->lock);
  takes = takes_text_locked (prompt);
  if (takes)
    add_cue_locked (prompt, buffer, g_steal_pointer (&inputs));
  unlock (prompt);
  g_clear_pointer (&inputs, gst_structure_free);
  return takes ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

/* NULL: @buffer cannot be read, or has no inputs in it. */
static GstStructure *
parse_cue (GstFalPrompt *prompt, GstBuffer *buffer, GError **error)
{
  GstStructure *inputs;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "cannot be read");
    return NULL;
  }
  inputs = fal_cue_parse ((const gchar *) map.data, map.size, prompt->markup, prompt->names, error);
  gst_buffer_unmap (buffer, &map);
  return inputs;
}

/* A track that is not what it should be may have as many such cues as frames: the first is told of.
 */
static void
warn_of_cue (GstFalPrompt *prompt, GstBuffer *buffer, const GError *fault)
{
  g_autofree gchar *time =
      GST_BUFFER_PTS_IS_VALID (buffer)
          ? g_strdup_printf (" at %" GST_TIME_FORMAT, GST_TIME_ARGS (GST_BUFFER_PTS (buffer)))
          : g_strdup ("");
  g_autoptr (GError) error = g_error_new (fault->domain, fault->code,
      "The cue%s of the prompt track is passed by, as it %s. A cue is a text or a JSON object. "
      "Others like it are passed by without a warning.",
      time, fault->message);

  GST_INFO_OBJECT (prompt->element, "%s", error->message);
  if (!prompt->told)
    gst_fal_post_trouble (prompt->element, FALSE, error, NULL);
  prompt->told = TRUE;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFalPrompt *prompt = gst_pad_get_element_private (pad);
  g_autoptr (GstBuffer) cue = buffer;
  g_autoptr (GError) fault = NULL;
  GstStructure *inputs;

  if (!takes_text (prompt))
    return GST_FLOW_FLUSHING;
  inputs = parse_cue (prompt, cue, &fault);
  if (inputs == NULL)
    warn_of_cue (prompt, cue, fault);
  GST_DEBUG_OBJECT (prompt->element, "the cue at %" GST_TIME_FORMAT " is %" GST_PTR_FORMAT,
      GST_TIME_ARGS (GST_BUFFER_PTS (cue)), inputs);
  return add_cue (prompt, cue, inputs);
}

/* ---- events ---- */

static void
take_caps (GstFalPrompt *prompt, GstEvent *event)
{
  const gchar *format;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  format = gst_structure_get_string (gst_caps_get_structure (caps, 0), "format");
  prompt->markup = g_strcmp0 (format, "pango-markup") == 0;
}

/* The text has passed @time of the segment; played backwards, that is a frame of this time, too. */
static void
advance_locked (GstFalPrompt *prompt, GstClockTime time)
{
  GstClockTime running = to_running (&prompt->segment, time);

  if (GST_CLOCK_TIME_IS_VALID (running)) /* it is not within a pad offset that cuts off */
    fal_cue_list_advance (prompt->cues, running + (prompt->segment.rate < 0 ? 1 : 0));
}

/* Whether @segment only says how far the one before has come. */
static gboolean
is_same_segment (const GstSegment *before, const GstSegment *segment)
{
  GstSegment copy = *segment;

  copy.position = before->position;
  return gst_segment_is_equal (before, &copy);
}

/* Without times, as a file of plain text has none, cues follow one another. */
static void
take_segment (GstFalPrompt *prompt, GstEvent *event)
{
  const GstSegment *segment;
  gboolean same, timed;

  gst_event_parse_segment (event, &segment);
  timed = segment->format == GST_FORMAT_TIME;
  lock (prompt);
  same = is_same_segment (&prompt->segment, segment);
  prompt->segment = *segment;
  if (timed && !same)
    fal_cue_list_begin (prompt->cues, get_first (segment));
  else if (timed && segment->rate > 0)
    advance_locked (prompt, segment->position);
  unlock (prompt);
}

static void
take_gap (GstFalPrompt *prompt, GstEvent *event)
{
  GstClockTime time, duration;

  gst_event_parse_gap (event, &time, &duration);
  lock (prompt);
  if (prompt->segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID (time)) {
    if (prompt->segment.rate > 0 && duration < GST_CLOCK_TIME_NONE - time)
      time += duration;
    advance_locked (prompt, time);
  }
  unlock (prompt);
}

/* What comes after the end has a segment again, be it the same. */
static void
take_eos (GstFalPrompt *prompt)
{
  lock (prompt);
  fal_cue_list_advance (prompt->cues, GST_CLOCK_TIME_NONE);
  gst_segment_init (&prompt->segment, GST_FORMAT_UNDEFINED);
  unlock (prompt);
}

/* The text begins anew. In a seek so do the frames that have ended, but they may hear of it later.
 */
static void
flush_text (GstFalPrompt *prompt, gboolean flushing)
{
  lock (prompt);
  prompt->text_flushes = flushing;
  if (!flushing) {
    prompt->frames_ended = FALSE;
    forget_text_locked (prompt);
  }
  unlock (prompt);
}

/* None goes further: downstream gets those of the frames. */
static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstFalPrompt *prompt = gst_pad_get_element_private (pad);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
  case GST_EVENT_FLUSH_STOP:
    flush_text (prompt, GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START);
    break;
  case GST_EVENT_CAPS:
    take_caps (prompt, event);
    break;
  case GST_EVENT_SEGMENT:
    take_segment (prompt, event);
    break;
  case GST_EVENT_GAP:
    take_gap (prompt, event);
    break;
  case GST_EVENT_EOS:
    take_eos (prompt);
    break;
  default:
    break;
  }
  gst_event_unref (event);
  return TRUE;
}

/* ---- the pad ---- */

/* What was linked before has said all that it will. GStreamer may hold the locks of both pads. */
static void
note_link (GstFalPrompt *prompt, gboolean linked)
{
  lock (prompt);
  prompt->linked = linked;
  if (!linked)
    forget_text_locked (prompt);
  unlock (prompt);
}

static GstPadLinkReturn
on_linked (GstPad *pad, GstObject *parent, GstPad *peer)
{
  note_link (gst_pad_get_element_private (pad), TRUE);
  return GST_PAD_LINK_OK;
}

static void
on_unlinked (GstPad *pad, GstObject *parent)
{
  note_link (gst_pad_get_element_private (pad), FALSE);
}

/* Nothing that comes here goes out. */
static GstIterator *
iterate_no_links (GstPad *pad, GstObject *parent)
{
  return NULL;
}

static GstPad *
make_pad (GstFalPrompt *prompt, GstPadTemplate *from)
{
  GstPad *pad = gst_pad_new_from_template (from, "prompt");

  gst_pad_set_element_private (pad, prompt);
  gst_pad_set_chain_function (pad, chain);
  gst_pad_set_event_function (pad, take_event);
  gst_pad_set_link_function (pad, on_linked);
  gst_pad_set_unlink_function (pad, on_unlinked);
  gst_pad_set_iterate_internal_links_function (pad, iterate_no_links);
  return pad;
}

GstPad *
gst_fal_prompt_request_pad (GstFalPrompt *prompt, GstPadTemplate *from)
{
  GstPad *pad = make_pad (prompt, from);
  gboolean taken;

  lock (prompt);
  taken = prompt->pad != NULL;
  if (!taken) {
    prompt->pad = pad;
    prompt->linked = prompt->text_flushes = prompt->released = FALSE;
    forget_text_locked (prompt);
  }
  unlock (prompt);
  if (taken) {
    gst_object_unref (gst_object_ref_sink (pad));
    return NULL;
  }
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (prompt->element, pad);
  return pad;
}

/* Its streaming thread is out of it before another pad can be requested. */
void
gst_fal_prompt_release_pad (GstFalPrompt *prompt)
{
  GstPad *pad;

  lock (prompt);
  pad = prompt->released ? NULL : prompt->pad;
  prompt->released = TRUE;
  prompt->linked = FALSE;
  forget_text_locked (prompt);
  unlock (prompt);
  if (pad == NULL)
    return;
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (prompt->element, pad);
  lock (prompt);
  prompt->pad = NULL;
  unlock (prompt);
}

/* ---- frames ---- */

/* Whether a frame waits for text at all. One that passes needs none. */
static gboolean
may_wait (const GstFalPrompt *prompt)
{
  return !fal_session_is_live (prompt->session) && !fal_session_passes_frames (prompt->session);
}

static gboolean
has_pad (GstFalPrompt *prompt)
{
  gboolean has;

  lock (prompt);
  has = prompt->pad != NULL;
  unlock_quietly (prompt);
  return has;
}

static gboolean
takes_frames_locked (const GstFalPrompt *prompt)
{
  return prompt->running && !prompt->frames_flush;
}

/* NULL: none are set. */
static GstStructure *
find_inputs_locked (GstFalPrompt *prompt, GstClockTime running)
{
  const GstStructure *inputs = fal_cue_list_find (prompt->cues, running);

  return inputs && gst_structure_n_fields (inputs) > 0 ? gst_structure_copy (inputs) : NULL;
}

/* Whether a frame has to wait still. During a seek it may be of before that, and uses up no cues.
 * Else those that are over make room for more, which the text may be waiting for. */
static gboolean
must_wait_locked (GstFalPrompt *prompt, GstClockTime running)
{
  if (!prompt->linked || !takes_frames_locked (prompt))
    return FALSE;
  if (prompt->seeks > 0)
    return TRUE;
  fal_cue_list_find (prompt->cues, running);
  g_cond_broadcast (&prompt->changed);
  return !fal_cue_list_knows (prompt->cues, running);
}

GstFlowReturn
gst_fal_prompt_find (GstFalPrompt *prompt, GstClockTime running, GstStructure **inputs)
{
  gboolean waits = has_pad (prompt) && may_wait (prompt);
  GstFlowReturn flow;

  lock (prompt);
  while (waits && must_wait_locked (prompt, running))
    g_cond_wait (&prompt->changed, &prompt->lock);
  flow = takes_frames_locked (prompt) ? GST_FLOW_OK : GST_FLOW_FLUSHING;
  *inputs = flow == GST_FLOW_OK ? find_inputs_locked (prompt, running) : NULL;
  unlock (prompt);
  return flow;
}

void
gst_fal_prompt_flush_frames (GstFalPrompt *prompt, gboolean flushing)
{
  lock (prompt);
  prompt->frames_flush = flushing;
  unlock (prompt);
}

void
gst_fal_prompt_end_frames (GstFalPrompt *prompt, gboolean ended)
{
  lock (prompt);
  prompt->frames_ended = ended;
  unlock (prompt);
}

/* ---- what goes upstream ---- */

void
gst_fal_prompt_send_upstream (GstFalPrompt *prompt, GstEvent *event)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (prompt->element, "prompt");

  if (pad != NULL)
    gst_pad_push_event (pad, gst_event_ref (event));
}

void
gst_fal_prompt_begin_seek (GstFalPrompt *prompt)
{
  lock (prompt);
  prompt->seeks++;
  unlock (prompt);
}

void
gst_fal_prompt_end_seek (GstFalPrompt *prompt)
{
  lock (prompt);
  prompt->seeks--;
  unlock (prompt);
}

/* ---- life ---- */

void
gst_fal_prompt_start (GstFalPrompt *prompt)
{
  g_clear_pointer (&prompt->names, fal_names_free);
  prompt->names = fal_names_new (FAL_NAMES_BUDGET);
  prompt->told = FALSE;
  lock (prompt);
  prompt->running = TRUE;
  prompt->text_flushes = prompt->frames_flush = prompt->frames_ended = FALSE;
  forget_text_locked (prompt);
  unlock (prompt);
}

void
gst_fal_prompt_stop (GstFalPrompt *prompt)
{
  lock (prompt);
  prompt->running = FALSE;
  unlock (prompt);
}

GstFalPrompt *
gst_fal_prompt_new (GstElement *element, FalSession *session)
{
  GstFalPrompt *prompt = g_new0 (GstFalPrompt, 1);

  prompt->element = element;
  prompt->session = session;
  prompt->cues = fal_cue_list_new ();
  prompt->names = fal_names_new (FAL_NAMES_BUDGET);
  g_mutex_init (&prompt->lock);
  g_cond_init (&prompt->changed);
  return prompt;
}

void
gst_fal_prompt_free (GstFalPrompt *prompt)
{
  fal_cue_list_free (prompt->cues);
  fal_names_free (prompt->names);
  g_mutex_clear (&prompt->lock);
  g_cond_clear (&prompt->changed);
  g_free (prompt);
}
