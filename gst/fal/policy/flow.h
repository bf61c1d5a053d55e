/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why the stream goes on or not: one word, looked at again after every wait.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  FAL_FLOW_GOES_ON,
  FAL_FLOW_REFUSED,  /* downstream returned EOS: events still go out, buffers do not */
  FAL_FLOW_SPENT,    /* session-limit or budget is over: the same, whatever is flushed or begins */
  FAL_FLOW_FLUSHING, /* also while the element does not run */
  FAL_FLOW_STOPPED,  /* downstream returned an error, or is not linked */
  FAL_FLOW_GIVEN_UP, /* no connection is tried any more; the application was told */
} FalFlowWord;

typedef struct {
  FalFlowWord word;
  GstFlowReturn returned; /* by downstream, where that stopped it */
  gboolean reported;      /* the application knows of that */
  gboolean spent;         /* for good, whatever the word is now */
  gboolean given_up;      /* no connection is tried any more, whatever the word is now */
  gboolean ended;         /* EOS came, or was made here, and no new stream began since */
  gboolean over;          /* and it has gone out */
  guint32 seqnum;         /* of the last SEGMENT or STREAM_START; GST_SEQNUM_INVALID: none came */
} FalFlow;

/* A new start: flushing until fal_flow_set_flushing() ends that. */
void fal_flow_reset (FalFlow *flow);

void fal_flow_set_flushing (FalFlow *flow, gboolean flushing);

/* Whether results and events go out, and upstream may wait for room. */
gboolean fal_flow_goes_out (const FalFlow *flow);
/* Whether frames are taken and sent. */
gboolean fal_flow_takes_frames (const FalFlow *flow);
/* What upstream's next frame is answered with. */
GstFlowReturn fal_flow_get_return (const FalFlow *flow);

/* Downstream returned @returned, not OK. @reported: the application was told. */
void fal_flow_stop (FalFlow *flow, GstFlowReturn returned, gboolean reported);
/* Downstream is linked anew: TRUE where that was what had stopped the flow. */
gboolean fal_flow_relink (FalFlow *flow);
/* No connection is tried any more; and: one may be tried again, once a flush or a new start lets
 * the stream go on. */
void fal_flow_give_up (FalFlow *flow);
void fal_flow_allow_connections (FalFlow *flow);
/* session-limit or budget is over. */
void fal_flow_spend (FalFlow *flow);

/* A serialized event of upstream's: a new stream or segment ends what an EOS began. */
void fal_flow_note_event (FalFlow *flow, GstEvent *event);
/* @event, which is made here, belongs to the stream that came last. */
void fal_flow_mark_event (const FalFlow *flow, GstEvent *event);
/* The EOS that the session makes itself, which belongs to the stream that came last. */
GstEvent *fal_flow_make_eos (FalFlow *flow);
gboolean fal_flow_has_ended (const FalFlow *flow);
/* An EOS goes out. Nothing does after it until a new stream begins, unless one came already. */
void fal_flow_note_end (FalFlow *flow);
gboolean fal_flow_is_over (const FalFlow *flow);
gboolean fal_flow_is_spent (const FalFlow *flow);

/* Whether downstream stopped the flow with an error that the application was not told of; upstream
 * brings it there with its next frame, if there is one. */
gboolean fal_flow_is_unreported (const FalFlow *flow);

G_END_DECLS
