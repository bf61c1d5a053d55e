/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A local server and an element between a test's own pads. */
#pragma once

#include "../server/server.h"
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* Longest wait for anything in a test. */
#define WATCHDOG_SECONDS 20

typedef struct {
  FalServer *server;
  GstHarness *harness;
  GstElement *element; /* borrowed from the harness */
  GstBus *bus;
} Fixture;

/* Warnings end a test, but those of libsoup: its server warns of a client that went before it was
 * looked at, which is nobody's fault. */
void fixture_init (int *argc, char ***argv);

/* For a source that stays up while the element goes down, and so does not begin its stream anew as
 * it would in a pipeline: GStreamer's remarks on that are nobody's fault. Until the end of the
 * test, or what is returned is taken away with g_log_remove_handler ("GStreamer", …). */
guint fixture_allow_data_without_stream (void);

/* Runs the tests and ends GStreamer, so that its tracers tell what they found. */
int fixture_run (void);

/* A server with @options (NULL: defaults), or a failure of the test. */
FalServer *fixture_start_server (const FalServerOptions *options);

/* An element with @properties (a pipeline description's) against a server with
 * @options, not live, throttle-interval=0, app=test/app/image. */
Fixture *fixture_new (const FalServerOptions *options, const gchar *properties);
Fixture *fixture_new_live (const FalServerOptions *options, const gchar *properties);
/* Ends both; checks that the sums of the statistics hold. */
void fixture_free (Fixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

/* "video/x-raw,format=RGB,width=W,height=H,framerate=30/1" on the sink pad. */
void fixture_set_size (Fixture *fixture, gint width, gint height);

/* A frame of one colour (0xRRGGBB) for the caps of fixture_set_size(); frame @n of 30 a second. */
GstBuffer *fixture_frame (gint width, gint height, guint colour, guint n);
void fixture_push (Fixture *fixture, GstBuffer *buffer);

/* Begins to play, and the stream with it, for an element that was changed in NULL: 32 × 32. */
void fixture_play (Fixture *fixture);
/* Frame @n of those, and frames @first to @last. */
void fixture_push_frame (Fixture *fixture, guint n);
void fixture_push_frames (Fixture *fixture, guint first, guint last);
/* Frame @n of those, and its result. */
void fixture_push_and_pull (Fixture *fixture, guint n);

/* @event is taken, and must be accepted. A whole flush, with the segment that follows it. */
void fixture_push_event (Fixture *fixture, GstEvent *event);
void fixture_flush (Fixture *fixture);

/* The next result, or a failure of the test. */
GstBuffer *fixture_pull (Fixture *fixture);

/* The colour in the middle of @buffer, in the format of the source pad's caps. */
guint fixture_colour (Fixture *fixture, GstBuffer *buffer);
/* Fails where a channel of @colour is further than @most from @wanted. */
void assert_colour (guint colour, guint wanted, guint most);

guint64 fixture_stat (Fixture *fixture, const gchar *name);
/* Waits until the statistic has the value. */
void fixture_wait_for_stat (Fixture *fixture, const gchar *name, guint64 value);
void fixture_check_books (Fixture *fixture);

/* The next message of these types, or a failure of the test. */
GstMessage *fixture_wait_for_message (Fixture *fixture, GstMessageType types);
/* Pulls events until one of @type came. */
GstEvent *fixture_wait_for_event (Fixture *fixture, GstEventType type);

/* The caps that results have now. */
GstCaps *fixture_get_caps (Fixture *fixture);

G_END_DECLS
