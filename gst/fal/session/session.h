/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in, results out: a stream's life between two pads, without a pad.
 *
 * Three threads beside the element's own: the net thread, which carries token, WebSocket and
 * replies and may be shared with other sessions, the send thread, which encodes, and the source
 * pad's task. What they share stands in shared-state; no lock is held while the owner is called.
 *
 * fal_session_push() and fal_session_push_event() belong to the sink pad's streaming thread,
 * fal_session_pull(), fal_session_render() and fal_session_note_pushed() to the source pad's task;
 * the rest may be called from any thread. */
#pragma once

#include "events.h"
#include "repeater.h"

G_BEGIN_DECLS

typedef struct _FalSession FalSession;

FalSession *fal_session_new (const FalSessionEvents *events, gpointer user, FalSettings *settings);
void fal_session_free (FalSession *session);

/* Starts the threads; connects with the first frame. Error: the settings cannot
 * work, saying what to do. */
gboolean fal_session_start (FalSession *session, GError **error);

/* Ends connection and threads, however the peer behaves, and gives up everything
 * that waits. The statistics stay until the next start. */
void fal_session_stop (FalSession *session);

/* @settings hold from the next frame on; what concerns the connection, from the next connection on.
 * Only those parts are told that use what has changed. TRUE: fal_session_get_latency() or
 * fal_session_get_room() has changed with them. */
gboolean fal_session_update (FalSession *session, FalSettings *settings);
/* All that is set at once is: a budget without a price is warned of, while the session runs. */
void fal_session_check_budget (FalSession *session);

/* Whether the pipeline is live: old frames then drop (leaky=auto) and results are stamped on
 * arrival (timestamp-mode=auto), less the @latency in which upstream brings a frame. */
void fal_session_set_upstream (FalSession *session, gboolean live, GstClockTime latency);

/* For so long sinks have results wait: as the LATENCY event has it. */
void fal_session_set_pipeline_latency (FalSession *session, GstClockTime latency);

/* Frames of a running time before @earliest would come too late for downstream: where frames drop,
 * and results keep the time of their frames, newer ones are sent in their place. FALSE: frames do
 * not drop here, or pass, so that it is upstream's to make fewer of them. */
gboolean fal_session_set_earliest (FalSession *session, GstClockTime earliest);

/* Takes @frame (transfer full). Waits for room where frames are not dropped.
 * GST_FLOW_FLUSHING while flushing; otherwise what downstream or the session
 * ended with. */
GstFlowReturn fal_session_push (FalSession *session, GstSample *frame);

/* Takes a serialized event (transfer full), to come out in its place among the
 * frames. EOS has the trailing frame sent at once and comes out after the last
 * result, or when none came for drain-timeout. FALSE: it is EOS, and nobody else will tell
 * the application that downstream ended the flow with an error. */
gboolean fal_session_push_event (FalSession *session, GstEvent *event);

/* Whether frames pass, so that downstream says how they are to be allocated. */
gboolean fal_session_passes_frames (FalSession *session);

/* Passes a serialized query of upstream's on, once all that came before it has gone out, and waits
 * until downstream has answered. FALSE: it has not, or frames do not pass any more, or the flow
 * stopped. Upstream's thread. */
gboolean fal_session_pass_query (FalSession *session, GstQuery *query);
/* The source pad's task: @event stands for such a query. Then it must not go out, and the query,
 * where there still is one, is to be answered by fal_session_finish_query(). */
gboolean fal_session_is_query (GstEvent *event);
GstQuery *fal_session_take_query (FalSession *session);
void fal_session_finish_query (FalSession *session, gboolean result);

/* How many of upstream's frames may be held at once. */
guint fal_session_get_most_held (FalSession *session);

/* Whether as many are held as that: further ones are to be copied. */
gboolean fal_session_holds_most (FalSession *session);

/* Copies the frames that are held, so that upstream has its memory back. Upstream's thread. */
void fal_session_let_go (FalSession *session);

/* Flushing: waits end, pulls return NULL, waiting frames and results vanish; the
 * connection stays. */
void fal_session_set_flushing (FalSession *session, gboolean flushing);

/* Waits for what comes out next: either an event (transfer full) or a result, or what is shown in
 * its place; or neither, where pictures are due at a constant rate. FALSE: the flow stopped. */
gboolean fal_session_pull (FalSession *session, GstEvent **event, FalResult **result);

/* The result as a sample (buffer, caps, segment; an answer's buffer has FAL_RESULT_META) that fits
 * @allowed, what downstream takes; NULL where it is none after all: a
 * broken picture or one that comes too late, counted and warned about.
 * @result is taken. On error (downstream takes nothing that it can become) NULL
 * with @error set: the flow cannot go on. */
GstSample *fal_session_render (
    FalSession *session, FalResult *result, GstCaps *allowed, GError **error);

/* At a constant rate nothing is rendered for a caller: this is the next picture that is due, for as
 * long as there is one. @ends: nothing follows, and what is shown ends with its own time. To be
 * called after each pull, and each result that was rendered. */
gboolean fal_session_take_picture (FalSession *session, gboolean ends, FalPicture *picture);
/* Nothing is shown any more: the stream has ended. */
void fal_session_end_pictures (FalSession *session);
/* The time has come that call_at() was told (any thread). */
void fal_session_note_tick (FalSession *session);

/* The sample last rendered, of a result of this kind, or a picture, went downstream. */
void fal_session_note_pushed (FalSession *session, FalResultKind kind, gboolean repeated);

/* Downstream takes no more, for the reason @flow: upstream gets it with its next
 * frame. After EOS events still come out. @reported: the application was told.
 * FALSE: it must be, upstream has sent EOS and will push no more. */
gboolean fal_session_stop_flow (FalSession *session, GstFlowReturn flow, gboolean reported);

/* Whether nothing has stopped the flow. */
gboolean fal_session_flows (FalSession *session);

/* Downstream is linked anew: TRUE where that was what had stopped the flow. */
gboolean fal_session_resume_flow (FalSession *session);

/* Sends the newest frame once more, or as it waits, with @inputs over all others, before its time
 * has come. FALSE: there is none, or the flow stopped, or ends. */
gboolean fal_session_send_now (FalSession *session, const GstStructure *inputs);

/* Waiting frames and results vanish as in a flush; what is in flight is answered in vain. */
void fal_session_clear (FalSession *session);

/* Ends the connection. @again: a new one follows at once, with what waits; else everything that
 * waits vanishes, and the next frame connects. */
void fal_session_close (FalSession *session, gboolean again);

/* The counts begin anew, the two sums hold. */
void fal_session_reset_stats (FalSession *session);

gboolean fal_session_is_live (FalSession *session);

/* What the element adds to a live pipeline's latency. */
GstClockTime fal_session_get_latency (FalSession *session);

/* The delay that was found for results, in ms; -1: it is as it was set. */
gint fal_session_get_delay (FalSession *session);

/* How many frames a sink may have wait here, before upstream waits; G_MAXUINT: results wait as long
 * as it wants, and upstream does not wait for them. */
guint fal_session_get_room (FalSession *session);

FalDialerState fal_session_get_state (FalSession *session);

void fal_session_get_counts (FalSession *session, FalSessionCounts *counts);

/* "application/x-fal-realtime-stats"; the two sums of a pacer hold in it. */
GstStructure *fal_session_get_stats (FalSession *session);

G_END_DECLS
