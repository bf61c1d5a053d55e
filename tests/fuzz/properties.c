/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: odd values for the element's properties, before it plays and while it does,
 * with a server on loopback that behaves. The input is lines:
 *
 *   NAME=VALUE   as a pipeline description has it; NAME:VALUE, text as it is
 *   >            plays, and frames come (>> a stream that is not live)
 *   <            goes to NULL
 *   !ACTION      emits an action signal; unset takes a name after a space
 *
 * What must hold whatever a user sets is looked at after each input. */
#include "../faults/peer-fixture.h"
#include "what-is-told.h"
#include "whole-element.h"

#include <gst/video/video.h>

#include <string.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define LINES_MAX 40
#define PLAYS_MAX 4
#define FRAMES 20
#define FRAME_INTERVAL 500 /* µs */
/* What a user asks for costs what it costs; here it is to be little. */
#define MOST_PIXELS 512
#define MOST_HELD (8 << 20)

typedef struct {
  Invariants *invariants;
  Peer *peer;
  Fixture *f;
  ToldCounts told;
  GThread *upstream; /* NULL: not playing */
  guint plays;
  gint pushed; /* atomic: frames of this play */
  gint over;   /* atomic: no more come */
} Run;

static GBytes *picture;

/* ---- properties ---- */

/* The same address on this machine, at the peer's port: nothing else is to be asked. What has no
 * host is no address, and leads nowhere. */
static void
move_host (Run *run, GValue *value)
{
  const gchar *text = g_value_get_string (value);
  g_autoptr (GUri) uri = text ? g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL) : NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return;
  g_value_take_string (
      value, g_uri_join (G_URI_FLAGS_ENCODED, g_uri_get_scheme (uri), g_uri_get_userinfo (uri),
                 "127.0.0.1", peer_get_port (run->peer), g_uri_get_path (uri),
                 g_uri_get_query (uri), g_uri_get_fragment (uri)));
}

static gboolean
is_address (const gchar *name)
{
  static const gchar *const names[] = { "base-uri", "token-uri", "token-proxy-uri", "proxy", NULL };

  return g_strv_contains (names, name);
}

static void
lower (Run *run, const gchar *name, GValue *value)
{
  if (is_address (name))
    move_host (run, value);
  else if (g_str_equal (name, "width") || g_str_equal (name, "height"))
    g_value_set_uint (value, g_value_get_uint (value) % MOST_PIXELS);
  else if (g_str_equal (name, "max-held-bytes"))
    g_value_set_uint64 (value, g_value_get_uint64 (value) % MOST_HELD);
}

/* A property of the element's own that may be set. Files of this machine are none of its business.
 */
static GParamSpec *
find_property (Run *run, const gchar *name)
{
  GObject *element = G_OBJECT (run->f->element);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);

  if (spec == NULL || spec->owner_type != G_OBJECT_TYPE (element) ||
      !(spec->flags & G_PARAM_WRITABLE) || g_str_equal (spec->name, "api-key-file"))
    return NULL;
  return spec;
}

/* GStreamer's parser is CRITICAL of a name that a structure may not have, and of one within
 * another. Of what is no structure it says so itself. */
static gboolean
may_be_structure (const gchar *text)
{
  gsize name = strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/-_.:+");

  return g_ascii_isalpha (*text) && (text[name] == '\0' || text[name] == ',') &&
         strchr (text, '[') == NULL && strstr (text, "aps)") == NULL;
}

/* @raw: the bytes are the text itself, which GObject's strings are in UTF-8. FALSE: it is no value
 * of the type. */
static gboolean
read_value (GParamSpec *spec, const gchar *text, gboolean raw, GValue *value)
{
  g_value_init (value, spec->value_type);
  if (raw && (!G_VALUE_HOLDS_STRING (value) || !g_utf8_validate (text, -1, NULL)))
    return FALSE;
  if (G_VALUE_HOLDS (value, GST_TYPE_STRUCTURE) && !may_be_structure (text))
    return FALSE;
  if (!raw)
    return gst_value_deserialize (value, text);
  g_value_set_string (value, text);
  return TRUE;
}

/* GObject warns of what is out of range, so that it is brought within here; no range has a place
 * for what is no number. */
static void
set_property (Run *run, const gchar *name, const gchar *text, gboolean raw)
{
  GParamSpec *spec = find_property (run, name);
  g_auto (GValue) value = G_VALUE_INIT;

  if (spec == NULL || !read_value (spec, text, raw, &value))
    return;
  lower (run, spec->name, &value);
  g_param_value_validate (spec, &value);
  if (g_param_value_validate (spec, &value))
    return;
  g_object_set_property (G_OBJECT (run->f->element), spec->name, &value);
}

/* ---- actions ---- */

static void
emit (Run *run, const gchar *action)
{
  static const gchar *const names[] = { "reconnect", "clear", "close", "reset-stats", NULL };
  g_autoptr (GstStructure) inputs = NULL;
  gboolean done;

  if (g_strv_contains (names, action))
    g_signal_emit_by_name (run->f->element, action);
  else if (g_str_has_prefix (action, "unset "))
    g_signal_emit_by_name (run->f->element, "unset", action + strlen ("unset "), &done);
  else if (g_str_has_prefix (action, "send ") && may_be_structure (action + strlen ("send ")) &&
           (inputs = gst_structure_from_string (action + strlen ("send "), NULL)))
    g_signal_emit_by_name (run->f->element, "send", inputs, &done);
}

/* ---- the stream ---- */

/* Upstream's thread. The element may go to NULL meanwhile, so that it takes nothing any more. */
static gpointer
push_frames (gpointer data)
{
  Run *run = data;
  GstHarness *harness = run->f->harness;

  for (guint i = 0; i < FRAMES; i++) {
    if (gst_harness_push (harness, invariants_make_frame (i)) != GST_FLOW_OK)
      break;
    g_atomic_int_inc (&run->pushed);
    g_usleep (FRAME_INTERVAL);
  }
  g_atomic_int_set (&run->over, TRUE);
  return NULL;
}

/* A few more frames come, or none do any more: a stream that may lose none may have to wait. */
static void
let_play (Run *run)
{
  gint wanted = g_atomic_int_get (&run->pushed) + 3;

  for (guint i = 0; i < 10 && !g_atomic_int_get (&run->over); i++) {
    if (g_atomic_int_get (&run->pushed) >= wanted)
      return;
    g_usleep (FRAME_INTERVAL);
  }
}

static void
begin_stream (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_stream_start ("again"));
  gst_harness_push_event (
      harness, gst_event_new_caps (gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
                   "RGB", "width", G_TYPE_INT, FRAME_SIZE, "height", G_TYPE_INT, FRAME_SIZE,
                   "framerate", GST_TYPE_FRACTION, 30, 1, NULL)));
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

static void
play (Run *run, gboolean live)
{
  GstHarness *harness = run->f->harness;

  if (run->upstream || run->plays == PLAYS_MAX)
    return;
  run->plays++;
  gst_harness_set_live (harness, live);
  if (gst_element_set_state (harness->element, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state (harness->element, GST_STATE_NULL);
    return;
  }
  begin_stream (harness);
  g_atomic_int_set (&run->pushed, 0);
  g_atomic_int_set (&run->over, FALSE);
  run->upstream = g_thread_new ("upstream", push_frames, run);
  let_play (run);
}

static void
stop (Run *run)
{
  gst_element_set_state (run->f->harness->element, GST_STATE_NULL);
  if (run->upstream)
    g_thread_join (g_steal_pointer (&run->upstream));
}

/* ---- an input ---- */

static void
do_line (Run *run, gchar *line)
{
  gsize name = strcspn (line, "=:");

  if (g_str_has_prefix (line, ">")) {
    play (run, line[1] != '>');
  } else if (g_str_equal (line, "<")) {
    stop (run);
  } else if (*line == '!') {
    emit (run, line + 1);
  } else if (line[name] != '\0') {
    gboolean raw = line[name] == ':';

    line[name] = '\0';
    set_property (run, line, line + name + 1, raw);
  }
  if (run->upstream)
    let_play (run);
  told_take_messages (run->f->bus, 0, &run->told);
}

static void
begin (Run *run)
{
  PeerConfig config = { PEER_DOOR_OPEN, .picture = picture };
  g_autofree gchar *description = NULL;
  g_autofree gchar *token_uri = NULL;

  run->invariants = invariants_new ();
  run->peer = peer_new (&config);
  description = peer_fixture_describe (run->peer, "retries=2 max-retry-delay=1");
  run->f = fixture_new_from (description, TRUE);
  gst_element_set_state (run->f->harness->element, GST_STATE_NULL);
  token_uri = g_strdup_printf ("http://127.0.0.1:%u/tokens/", peer_get_port (run->peer));
  g_object_set (run->f->element, "token-uri", token_uri, "token", TOLD_TOKEN, NULL);
  invariants_begin (run->invariants, run->f, 0, 0);
  invariants_expect_any_picture (run->invariants);
}

static void
end (Run *run)
{
  told_check_dot (GST_BIN (run->f->harness->element));
  invariants_stop (run->invariants);
  if (run->upstream)
    g_thread_join (run->upstream);
  told_take_messages (run->f->bus, 0, &run->told);
  g_assert_cmpuint (run->told.errors, <=, run->plays);
  fixture_free (run->f);
  peer_free (run->peer);
  invariants_free (run->invariants);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", LINES_MAX);
  Run run = { 0 };

  begin (&run);
  for (guint i = 0; lines[i]; i++)
    do_line (&run, lines[i]);
  end (&run);
  return 0;
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;
  gchar *bytes;
  gsize size;

  whole_element_init ((*argv)[0]);
  g_file_get_contents (PICTURES "/grey.jpg", &bytes, &size, &error);
  g_assert_no_error (error);
  picture = g_bytes_new_take (bytes, size);
  return 0;
}
