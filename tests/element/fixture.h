/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A local server and an element between a test's own pads. */
#pragma once

#include "../server/server.h"
#include "waiting.h"
#include <gio/gio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct {
  FalServer *server; /* NULL: the test has another one, or none */
  GstHarness *harness;
  GstElement *element; /* borrowed from the harness */
  GstBus *bus;
} Fixture;

/* Warnings end a test, but those of libsoup: its server warns of a client that went before it was
 * looked at, which is nobody's fault. */
void fixture_init (int *argc, char ***argv);
/* Leaves out what libsoup and GIO tell of each frame and message: GTest would print it all. */
void fixture_drop_debug_log (void);

/* For a source that stays up while the element goes down, and so does not begin its stream anew as
 * it would in a pipeline: GStreamer's remarks on that are nobody's fault. Until the end of the
 * test, or what is returned is taken away with g_log_remove_handler ("GStreamer", …). */
guint fixture_allow_data_without_stream (void);

/* Runs the tests and ends GStreamer, so that its tracers tell what they found. */
int fixture_run (void);

/* Starts the element of @description, which must refuse because of its settings; the text, debug
 * string and details of the ERROR about it. */
gchar *take_refusal (const gchar *description);
/* The next ERROR on @bus, which must be that one; its text, debug string and details. */
gchar *take_error (GstBus *bus, GQuark domain, gint code);
/* The head of the next HTTP request that @listener gets. */
gchar *take_http_head (GSocketListener *listener, GSocketConnection **connection);

/* A server with @options (NULL: defaults), or a failure of the test. */
FalServer *fixture_start_server (const FalServerOptions *options);

/* An element with @properties (a pipeline description's) against a server with
 * @options, not live, throttle-interval=0, app=test/app/image. */
Fixture *fixture_new (const FalServerOptions *options, const gchar *properties);
Fixture *fixture_new_live (const FalServerOptions *options, const gchar *properties);
/* The same with a server that the caller has; 32 × 32 may be pushed. */
Fixture *fixture_join (FalServer *server, const gchar *properties);
/* The element of a whole pipeline description, without a server. */
Fixture *fixture_new_from (const gchar *description, gboolean live);
/* Ends both; checks that the sums of the statistics hold. */
void fixture_free (Fixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

/* "video/x-raw,format=RGB,width=W,height=H,framerate=30/1" on the sink pad. */
void fixture_set_size (Fixture *fixture, gint width, gint height);

/* A frame of one colour (0xRRGGBB) for the caps of fixture_set_size(); frame @n of 30 a second. */
GstBuffer *fixture_frame (gint width, gint height, guint colour, guint n);
/* The same of noise, always the same, of which pictures get large. */
GstBuffer *fixture_noise (gint width, gint height, guint n);
void fixture_push (Fixture *fixture, GstBuffer *buffer);

/* Begins to play, and the stream with it, for an element that was changed in NULL: 32 × 32. */
void fixture_play (Fixture *fixture);
/* Frame @n of those, and frames @first to @last. */
void fixture_push_frame (Fixture *fixture, guint n);
void fixture_push_frames (Fixture *fixture, guint first, guint last);
/* The same in a colour. */
void fixture_push_colour (Fixture *fixture, guint colour, guint n);
/* Frame @n of those, and its result. */
void fixture_push_and_pull (Fixture *fixture, guint n);

/* @event is taken, and must be accepted. A whole flush, with the segment that follows it. */
void fixture_push_event (Fixture *fixture, GstEvent *event);
void fixture_flush (Fixture *fixture);
/* A segment as it is by default. */
void fixture_push_segment (Fixture *fixture);
/* A stream of 32 × 32 begins anew, with events of this number. */
void fixture_begin_numbered (Fixture *fixture, guint32 number);
/* The end of the stream: sent in; waited for where results come out. */
void fixture_push_end (Fixture *fixture);
void fixture_wait_for_end (Fixture *fixture);

/* The next result, or a failure of the test. */
GstBuffer *fixture_pull (Fixture *fixture);

/* The colour in the middle of @buffer, in the format of the source pad's caps. */
guint fixture_colour (Fixture *fixture, GstBuffer *buffer);
/* @text must hold @part. */
void assert_says (const gchar *text, const gchar *part);
/* Smallest first. */
void sort_times (gint64 *times, guint n);
/* Fails where a channel of @colour is further than @most from @wanted. */
void assert_colour (guint colour, guint wanted, guint most);

guint64 fixture_stat (Fixture *fixture, const gchar *name);
/* Waits until the statistic has the value. */
void fixture_wait_for_stat (Fixture *fixture, const gchar *name, guint64 value);
void fixture_check_books (Fixture *fixture);

/* The nick of connection-state: "idle", "connected" … */
const gchar *fixture_get_state (Fixture *fixture);
void fixture_wait_for_state (Fixture *fixture, const gchar *state);
/* Nothing is open at the server any more, and the element knows. */
void fixture_wait_until_closed (Fixture *fixture);

/* What takes the results stays blocked until the probe is removed: once the next one is there. */
gulong fixture_block_downstream (Fixture *fixture);
void fixture_wait_until_blocked (Fixture *fixture);
/* What takes the results returns *@flow (atomic) instead of taking them. */
void fixture_refuse_downstream (Fixture *fixture, gint *flow);

/* To show that something does not happen where no later event of this element's tells: another one,
 * with a server of its own, connects, has a frame answered and ends. What was begun before and
 * takes no longer has had its time then, however busy the machine is. */
void fixture_run_another_stream (void);

/* The next message of these types, or a failure of the test. */
GstMessage *fixture_wait_for_message (Fixture *fixture, GstMessageType types);
/* No WARNING or ERROR has been posted that nobody took. */
void fixture_expect_no_message (Fixture *fixture);
/* The text and debug string of the next message of this type, WARNING or ERROR. "PLANTED" stands
 * for a secret, and must not be there. */
gchar *fixture_take_trouble (Fixture *fixture, GstMessageType type);
/* Pushes a frame; the text of the ERROR that comes of it. */
gchar *fixture_push_into_error (Fixture *fixture);
/* Pulls events until one of @type came. */
GstEvent *fixture_wait_for_event (Fixture *fixture, GstEventType type);

/* The caps that results have now. */
GstCaps *fixture_get_caps (Fixture *fixture);

G_END_DECLS
